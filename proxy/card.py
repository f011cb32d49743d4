"""The model card (model.yaml): what a model is for, what goes into it and how to read what comes out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from proxy.decoders.registry import Decoder
from proxy.decoders.top_k import TopK
from proxy.document import Document, read_document
from proxy.errors import ConfigError
from proxy.pictures.picture_input import PictureInput
from proxy.texts.text_input import TextInput
from proxy.texts.vocabulary import Vocabulary, load_vocabulary

Wire = Literal["auto", "encoded", "pixels", "float"]
"""How a picture goes to the model server: as the file that was sent, as its pixels, or as the model's own tensor."""

_NOT_IN_THE_GRAPH = {
    "input": {"decode"},
    "output": {"score_threshold", "iou_threshold", "max_detections", "k"},
}
"""Keys that change nothing in a signature made from the card: the thresholds are inputs of it."""


class CardDocument(Document):
    """Hold the content of a model.yaml."""

    task: Literal["object-detection", "image-classification", "text-classification", "tensor"]
    input: PictureInput | None = None
    """The picture that the model takes; a model without one takes JSON tensors only."""
    text: TextInput | None = None
    """The text that the model takes."""
    output: Decoder | None = None
    wire: Wire = "auto"
    """The fewest bytes that the model's signatures allow, or one way for good."""
    labels: Path | None = None
    """A text file with one label per line, class 0 first; relative to the card."""

    @model_validator(mode="after")
    def _parts_fit_the_task(self) -> CardDocument:
        if self.input is not None and self.text is not None:
            raise ValueError("a model takes a picture (section input) or a text (section text), not both")
        answered = "tensor" if self.output is None else self.output.task
        if isinstance(self.output, TopK) and self.text is not None:
            answered = "text-classification"
        if answered != self.task:
            found = "no output" if self.output is None else f"output > decoder {self.output.decoder}"
            raise ValueError(f"task {self.task} cannot be answered with {found}")
        if self.output is not None and ((self.input or self.text) is None or self.labels is None):
            section = "text" if self.task == "text-classification" else "input"
            raise ValueError(f"task {self.task} needs the sections {section} and labels")
        return self

    @property
    def output_name(self) -> str:
        """Return the name of the decoder."""
        return "(none)" if self.output is None else self.output.decoder

    @property
    def fingerprint(self) -> str:
        """Return 8 hexadecimal digits over what a signature made from this card depends on."""
        parts = self.model_dump(mode="json", by_alias=True, include={"input", "output"}, exclude=_NOT_IN_THE_GRAPH)
        canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCard:
    """Hold a model card together with its labels."""

    document: CardDocument
    labels: tuple[str, ...] = ()
    vocabulary: Vocabulary | None = None
    """Of a model that takes texts."""

    def label(self, number: int) -> str | None:
        """Return the label of a class, or None where the labels file is too short."""
        return self.labels[number] if 0 <= number < len(self.labels) else None


TENSOR_CARD = ModelCard(document=CardDocument(task="tensor"))
"""The card of a model that has none: JSON tensors in, JSON tensors out."""


def load_card(path: Path | None) -> ModelCard:
    """Read a model card and its labels; without a path, return the card of a plain tensor model.

    Raises:
        ConfigError: The card or its labels file cannot be read or understood.
    """
    if path is None:
        return TENSOR_CARD
    document = read_document(path, CardDocument)
    labels = () if document.labels is None else _read_labels(path.parent / document.labels)
    text = document.text
    vocabulary = None if text is None else load_vocabulary(path.parent / text.vocabulary, text)
    return ModelCard(document=document, labels=labels, vocabulary=vocabulary)


def _read_labels(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable_labels(path, f"the file cannot be read ({error})") from error
    if not lines or not all(line.strip() for line in lines):
        raise _unreadable_labels(path, f"{len(lines)} lines, empty ones among them" if lines else "an empty file")
    return tuple(line.strip() for line in lines)


def _unreadable_labels(path: Path, found: str) -> ConfigError:
    return ConfigError(
        where=str(path),
        found=found,
        reason="A model card names it as its labels, and the line number is the number of the class",
        remedy="Write one label per line, class 0 first, without empty lines",
    )

"""The four models of the source paper as loopback servers announce them: their shapes, cards and usual numbers.

A way is a model of the proxy's in front of them: the original signature, and the signatures that the publisher adds.
Sizes need no weights: a float32 takes four bytes whatever it says, and the numbers in JSON are like those of real
outputs (probabilities of a softmax; boxes in pixels with mostly tiny scores).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from experiments.loopback_model import DEFAULT_SIGNATURE, FLOAT, INT32, STRING, UINT8, Models, Port, Signature
from experiments.paper import BERT, INCEPTION, MOBILENET, YOLO
from proxy import signature_names as names
from proxy.card import CardDocument

TOKENS = 500
TEXT = (
    "this film was a slow and gentle surprise with a fine cast and a script that never shouts . "
    "the last hour is worth the wait and i left with a smile that stayed all the long way back home"
)
"""A review of 40 words, so 42 tokens with the two that begin and end it."""
TEXT_TOKENS = 42
_VOCABULARY_SIZE, _FIRST_WORD = 30522, 1996
"""Of BERT uncased; its words stand behind some two thousand reserved and single letters."""
FOUND = 20
"""Boxes that the graph answers."""
COCO_CLASSES = 80


@dataclass(frozen=True)
class PictureModel:
    """A model that takes pictures."""

    name: str
    side: int
    tensor: str
    output: str
    card: dict[str, Any]

    @property
    def array_shape(self) -> tuple[int, int, int, int]:
        """Return the shape of its input."""
        return 1, self.side, self.side, 3

    def outputs(self) -> dict[str, np.ndarray]:
        """Return what it answers."""
        return {self.output: yolo_rows() if self.name == YOLO else probabilities(1000)}

    def found(self) -> dict[str, np.ndarray]:
        """Return what it answers when the graph reads its outputs as well."""
        if self.name == YOLO:
            return {names.DETECTIONS: boxes(self.side)}
        best = np.argsort(-probabilities(1000)[0], kind="stable")[None, :5]
        return {names.SCORES: probabilities(1000)[:, best[0]], names.CLASSES: best.astype(np.int32)}

    def added(self) -> names.SignatureNames:
        """Return the names of the signatures that a publisher adds."""
        added = names.signature_names(CardDocument.model_validate(self.card))
        if added is None:
            raise RuntimeError(f"{self.name}: the card describes no picture")
        return added

    def signatures(self) -> dict[str, Signature]:
        """Return the original signature and the added ones."""
        added = self.added()
        if added.pixels_answer is None or added.encoded_answer is None:
            raise RuntimeError(f"{self.name}: the task of the card has no answer in the graph")
        pixels: dict[str, Port] = {names.PIXELS: (UINT8, (-1, self.side, self.side, 3))}
        files: dict[str, Port] = {names.ENCODED: (STRING, (-1,))}
        return {
            DEFAULT_SIGNATURE: Signature({self.tensor: (FLOAT, (-1, *self.array_shape[1:]))}, self.outputs()),
            added.pixels: Signature(pixels, self.outputs()),
            added.encoded: Signature(files, self.outputs()),
            added.pixels_answer: Signature(pixels | self._parameters(), self.found()),
            added.encoded_answer: Signature(files | self._parameters(), self.found()),
        }

    def _parameters(self) -> dict[str, Port]:
        if self.name != YOLO:
            return {names.K: (INT32, ())}
        thresholds = {names.SCORE_THRESHOLD: FLOAT, names.IOU_THRESHOLD: FLOAT, names.MAX_DETECTIONS: INT32}
        return {name: (data_type, ()) for name, data_type in thresholds.items()}


def _picture_card(side: int, tensor: str, task: str, output: dict[str, Any], **more: Any) -> dict[str, Any]:
    picture = {"tensor": tensor, "width-pixels": side, "height-pixels": side, **more}
    return {"task": task, "input": picture, "output": output, "labels": "labels.txt"}


def _classifier(name: str, side: int) -> PictureModel:
    scale = {"mean": [127.5] * 3, "standard-deviation": [127.5] * 3}
    output = {"decoder": "top-k", "tensor": "probabilities", "k": 5}
    return PictureModel(
        name, side, "image", "probabilities", _picture_card(side, "image", "image-classification", output, **scale)
    )


def _detector() -> PictureModel:
    more = {"resize": "letterbox", "pad-value": 114, "standard-deviation": [255] * 3}
    card = _picture_card(640, "images", "object-detection", {"decoder": "yolo", "tensor": "output"}, **more)
    return PictureModel(YOLO, 640, "images", "output", card)


PICTURE_MODELS = {MOBILENET: _classifier(MOBILENET, 224), INCEPTION: _classifier(INCEPTION, 299), YOLO: _detector()}

_TEXT_CARD = {
    "task": "text-classification",
    "text": {
        "vocabulary": "vocab.txt",
        "pad-to": TOKENS,
        "max-tokens": TOKENS,
        "inputs": {"ids": "input_ids", "mask": "input_mask", "types": "token_type_ids"},
    },
    "output": {"decoder": "top-k", "tensor": "probabilities", "k": 2},
    "labels": "sentiments.txt",
}


def token_arrays() -> dict[str, np.ndarray]:
    """Return the text as BERT's three inputs, int32 [1, 500]."""
    words = vocabulary_ids()
    ids = [words["[CLS]"], *(words[word] for word in TEXT.split()), words["[SEP]"]]
    if len(ids) != TEXT_TOKENS:
        raise RuntimeError(f"the text has {len(ids)} tokens")
    arrays = {name: np.zeros((1, TOKENS), np.int32) for name in ("input_ids", "input_mask", "token_type_ids")}
    arrays["input_ids"][0, : len(ids)] = ids
    arrays["input_mask"][0, : len(ids)] = 1
    return arrays


def vocabulary_ids() -> dict[str, int]:
    """Return the numbers of the special tokens, as in BERT uncased, and of the text's words, spread as words are."""
    words = sorted(set(TEXT.split()))
    spread = np.geomspace(_FIRST_WORD, _VOCABULARY_SIZE - 1, len(words)).astype(int)
    special = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102}
    return special | {word: int(number) for word, number in zip(words, spread, strict=True)}


def models() -> Models:
    """Return what a server of all four announces and answers."""
    inputs: dict[str, Port] = dict.fromkeys(token_arrays(), (INT32, (-1, TOKENS)))
    text = {DEFAULT_SIGNATURE: Signature(inputs, {"probabilities": probabilities(2)})}
    return {name: model.signatures() for name, model in PICTURE_MODELS.items()} | {BERT: text}


def write(folder: Path, target: str) -> list[dict[str, Any]]:
    """Write cards, labels and vocabulary; return the section `models` of the proxy's configuration."""
    (folder / "labels.txt").write_text("\n".join(f"class {number}" for number in range(1000)))
    (folder / "coco.txt").write_text("\n".join(f"class {number}" for number in range(COCO_CLASSES)))
    (folder / "sentiments.txt").write_text("negative\npositive")
    (folder / "vocab.txt").write_text("\n".join(_vocabulary_lines()))
    cards = {name: model.card for name, model in PICTURE_MODELS.items()} | {BERT: _TEXT_CARD}
    cards[YOLO] = cards[YOLO] | {"labels": "coco.txt"}
    for name, card in cards.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(card))
    return [{"name": name, "target": target, "card": f"{name}.yaml"} for name in cards]


def _vocabulary_lines() -> list[str]:
    lines = [f"[unused{number}]" for number in range(_VOCABULARY_SIZE)]
    for word, number in vocabulary_ids().items():
        lines[number] = word
    return lines


def probabilities(classes: int) -> np.ndarray:
    """Return a softmax like a classifier's, float32 [1, classes]."""
    logits = np.random.default_rng(classes).normal(0, 2, classes)
    return (np.exp(logits) / np.exp(logits).sum()).astype(np.float32)[None]


@functools.cache
def yolo_rows() -> np.ndarray:
    """Return rows like YOLOv5's: centre and size in pixels, objectness, 80 class scores; float32 [1, 25200, 85]."""
    random = np.random.default_rng(0)
    rows = np.empty((25200, 85), np.float32)
    rows[:, :2] = random.uniform(0, 640, (25200, 2))
    rows[:, 2:4] = random.lognormal(3.5, 1, (25200, 2))
    rows[:, 4] = _sigmoid(random.normal(-8, 2, 25200))
    rows[:, 5:] = _sigmoid(random.normal(-5, 1.5, (25200, 80)))
    seen = random.integers(0, 25200, FOUND)
    rows[seen, 4], rows[seen, 5 + random.integers(0, 80, FOUND)] = 0.9, 0.8
    return rows[None]


def boxes(side: int) -> np.ndarray:
    """Return rows as the graph gives them, strongest first: float32 [1, n, 6] of x1, y1, x2, y2, score, class."""
    random = np.random.default_rng(0)
    corners, sizes = random.uniform(0, side / 2, (FOUND, 2)), random.uniform(10, side / 2, (FOUND, 2))
    scores = np.sort(random.uniform(0.25, 0.95, FOUND))[::-1]
    return np.column_stack([corners, corners + sizes, scores, random.integers(0, 80, FOUND)]).astype(np.float32)[None]


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))

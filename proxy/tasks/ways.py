"""Ways: how a picture can go to a model and what can come back, and which of them takes the fewest bytes.

A publisher may have added signatures that take the pixels as bytes, or the file itself, and that answer boxes or the
likeliest classes.  Their names hold the fingerprint of the card that they were made after, so that one which no longer
does what the card says is never taken.  All of them answer what the original signature and the proxy's own steps would.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from proxy.backend.signatures import DEFAULT_SIGNATURE, Signature, TensorSpec
from proxy.card import ModelCard, Wire
from proxy.errors import InvalidQuery
from proxy.pictures.header import PictureHeader
from proxy.pictures.picture_input import PictureInput
from proxy.signature_names import signature_names
from proxy.tasks.task import Subject
from proxy.wire.tensors import numpy_type

Source = Literal["encoded", "pixels", "float"]

_BYTES_OF_A_FIND = 24
"""x1, y1, x2, y2, score and class in float32; a class of a classifier takes less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Name a signature, what goes into it and whether boxes or classes come out."""

    signature: str
    source: Source
    in_graph: bool
    """What is found is read out of the outputs in the model's graph already."""
    bytes_both_ways: int
    """An estimate, for comparing."""


def choose_way(subject: Subject, spec: PictureInput, header: PictureHeader | None, file_bytes: int) -> Way:
    """Choose the way of the fewest bytes that the model has, or the one that the sender or the card asks for.

    Args:
        subject: The model and what is asked of it.
        spec: The picture that it takes.
        header: That of the picture's file; None where there is no file, as for a frame of a video.
        file_bytes: The size of the file.

    Raises:
        InvalidQuery: The sender asks for a way that this model, or this picture, has not.
    """
    wanted = subject.options.wire or subject.card.document.wire
    ways = [way for way in _ways(subject, spec, header, file_bytes) if wanted in ("auto", way.source)]
    if not ways:
        raise _no_such_way(subject, wanted)
    return min(ways, key=lambda way: way.bytes_both_ways)


def _ways(subject: Subject, spec: PictureInput, header: PictureHeader | None, file_bytes: int) -> Iterator[Way]:
    """Yield the ways that the model has, those that do more in the graph first."""
    for name, source, in_graph in _candidates(subject.card):
        signature = subject.description.signatures.get(name)
        if signature is None or (in_graph and subject.wants_tensors):
            continue
        if source == "encoded" and not (header is not None and header.is_plain_jpeg):
            continue
        size = _input_bytes(source, spec, signature, file_bytes) + _output_bytes(in_graph, signature)
        yield Way(signature=name, source=source, in_graph=in_graph, bytes_both_ways=size)


def _candidates(card: ModelCard) -> Iterator[tuple[str, Source, bool]]:
    """Yield the names that signatures of the card have, with what goes in and whether the graph reads the outputs."""
    names = signature_names(card.document)
    if names is not None:
        if names.encoded_answer is not None and names.pixels_answer is not None:
            yield names.encoded_answer, "encoded", True
            yield names.pixels_answer, "pixels", True
        yield names.encoded, "encoded", False
        yield names.pixels, "pixels", False
    yield DEFAULT_SIGNATURE, "float", False


def _input_bytes(source: Source, spec: PictureInput, signature: Signature, file_bytes: int) -> int:
    if source == "encoded":
        return file_bytes
    numbers = math.prod(spec.shape)
    return numbers if source == "pixels" else numbers * max(map(_item_bytes, signature.inputs.values()), default=4)


def _output_bytes(in_graph: bool, signature: Signature) -> int:
    return _BYTES_OF_A_FIND if in_graph else sum(map(_tensor_bytes, signature.outputs.values()))


def _tensor_bytes(tensor: TensorSpec) -> int:
    return _item_bytes(tensor) * math.prod(size or 1 for size in tensor.shape or ())


def _item_bytes(tensor: TensorSpec) -> int:
    dtype = numpy_type(tensor.data_type)
    return 4 if dtype is None else dtype.itemsize


def _no_such_way(subject: Subject, wanted: Wire) -> InvalidQuery:
    has = ", ".join(sorted(subject.description.signatures)) or "none"
    return InvalidQuery(
        where="query > wire",
        found=f"{wanted!r} for {subject.model!r}",
        reason=f"Version {subject.description.version} has no signature for it that fits the card and this picture "
        f"(it has {has})",
        remedy="Leave it to the proxy (wire=auto), or publish the model with more signatures",
    )

"""Tasks: what the proxy does around one Predict call, for a picture and for JSON tensors.

A task prepares a body into arrays and, with them, the way to write the answer. Both parts are pure and take
milliseconds of one core, so they run off the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from proxy.backend.signatures import DEFAULT_SIGNATURE, ModelDescription, TensorSpec
from proxy.card import ModelCard
from proxy.config import Limits
from proxy.deadline import Deadline
from proxy.decoders.results import Detections
from proxy.errors import CardMismatch, UnsupportedContent
from proxy.inputs.json_tensors import parse_tensor_request
from proxy.limits import PixelBudget
from proxy.outputs.answers import classifications_answer, detections_answer, outputs_answer, tensors_answer
from proxy.pictures.decoding import check_size, decode_picture, read_header
from proxy.pictures.frame import Frame
from proxy.pictures.preprocess import PictureInput, PreparedPicture, prepare_picture
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Arrays, Prediction
from proxy.wire.tensors import numpy_type, type_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Hold what a task must know of the model it works for."""

    model: str
    card: ModelCard
    description: ModelDescription
    limits: Limits
    pixel_budget: PixelBudget
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTask:
    """Hold the arrays for the model, and how to write what comes back."""

    signature: str
    arrays: Arrays
    write_answer: Callable[[Prediction], bytes]


Task = Callable[[bytes, Subject, Stages], PreparedTask]


def prepare_tensors(data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare JSON tensors; the answer takes the form (row or column) of the request.

    Raises:
        InvalidJson: See `parse_tensor_request`.
        InvalidTensor: See `parse_tensor_request`.
    """
    with stages.time("decode"):
        request = parse_tensor_request(data, subject.description)

    def write_answer(prediction: Prediction) -> bytes:
        return tensors_answer(prediction.outputs, request.form)

    return PreparedTask(signature=request.signature, arrays=request.arrays, write_answer=write_answer)


def prepare_picture_task(data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare a picture as the model's card says.

    Raises:
        InvalidPicture: See `decode_picture`.
        PictureTooLarge: See `decode_picture`.
        UnsupportedContent: The model takes no pictures.
        CardMismatch: The card names another input than the model has.
    """
    spec = subject.card.document.input
    if spec is None:
        raise _takes_no_pictures(subject.model)
    prepared = _prepared(data, spec, subject, stages)

    def write_answer(prediction: Prediction) -> bytes:
        return _picture_answer(prediction, subject, spec, prepared.frame)

    return PreparedTask(signature=DEFAULT_SIGNATURE, arrays={spec.tensor: prepared.array}, write_answer=write_answer)


def _prepared(data: bytes, spec: PictureInput, subject: Subject, stages: Stages) -> PreparedPicture:
    """Decode and prepare a picture, once the memory for it is free."""
    limits = subject.limits
    header = read_header(data)
    check_size(header, limits.max_pixels, limits.min_side_pixels)
    with subject.pixel_budget.hold(header.pixels, subject.deadline):
        with stages.time("decode"):
            pixels = decode_picture(data, header, spec.channels)
        with stages.time("preprocess"):
            return prepare_picture(pixels, spec, _input_type(spec, subject))


def _picture_answer(prediction: Prediction, subject: Subject, spec: PictureInput, frame: Frame) -> bytes:
    card = subject.card
    if card.document.output is None:
        return outputs_answer(subject.model, prediction.version, prediction.outputs)
    found = card.document.output.decode(prediction.outputs, spec, len(card.labels))
    if isinstance(found, Detections):
        return detections_answer(subject.model, prediction.version, found, frame, card)
    return classifications_answer(subject.model, prediction.version, found, card)


def _input_type(spec: PictureInput, subject: Subject) -> np.dtype[np.generic]:
    """Return the type of the picture's tensor, checking the card against the model's own description."""
    signature = subject.description.signatures.get(DEFAULT_SIGNATURE)
    inputs: Mapping[str, TensorSpec] = {} if signature is None else signature.inputs
    if set(inputs) != {spec.tensor}:
        raise _mismatch(subject, "tensor", spec.tensor, f"the inputs {', '.join(sorted(inputs)) or '(none)'}")
    tensor = inputs[spec.tensor]
    if not tensor.takes_shape(spec.shape):
        raise _mismatch(subject, "layout and size", str(list(spec.shape)), f"the shape {tensor.shape_text}")
    return _known_type(tensor, subject)


def _known_type(tensor: TensorSpec, subject: Subject) -> np.dtype[np.generic]:
    dtype = numpy_type(tensor.data_type)
    if dtype is None or dtype.hasobject:
        raise _mismatch(subject, "tensor", tensor.name, f"the type {type_name(tensor.data_type)} for it")
    return dtype


def _mismatch(subject: Subject, key: str, card: str, model: str) -> CardMismatch:
    return CardMismatch(
        where=f"model card of {subject.model!r} > input > {key}",
        found=f"the card says {card}, version {subject.description.version} of the model has {model}",
        reason="A picture cannot be prepared for an input that the model does not have",
        remedy="Mend the card beside the model (model.yaml), or publish the version that it describes",
    )


def _takes_no_pictures(model: str) -> UnsupportedContent:
    return UnsupportedContent(
        where="header Content-Type",
        found=f"a picture for {model!r}",
        reason="This model has no card that says how a picture becomes its input",
        remedy="Send JSON tensors, or give the model a card with the section input (model.yaml)",
    )

"""The task for a picture: the file, or its pixels, into the call of the fewest bytes; boxes or labels out."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from proxy.backend.call import PredictCall
from proxy.backend.signatures import TensorSpec
from proxy.errors import CardMismatch, UnsupportedContent
from proxy.outputs.result import PictureFile
from proxy.pictures.decoding import decode_reduced
from proxy.pictures.fit import choose_reduction, plan_fit
from proxy.pictures.header import PictureHeader, check_size, read_header
from proxy.pictures.picture_input import PictureInput
from proxy.pictures.preprocess import PreparedPicture, prepare_picture
from proxy.tasks.batched import batched_inputs
from proxy.tasks.found import reading_of
from proxy.tasks.task import PreparedTask, Subject
from proxy.tasks.ways import Way, choose_way
from proxy.telemetry.stages import Stages
from proxy.wire.tensors import numpy_type, type_name


def prepare_picture_task(data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare a picture's file as the model's card says.

    Raises:
        InvalidPicture: See `read_header` and `decode_reduced`.
        PictureTooLarge: See `check_size`.
        UnsupportedContent: The model takes no pictures.
        CardMismatch: The card names another input than the model has.
        InvalidQuery: The request asks for a way or a threshold that the model has not.
    """
    spec = _picture_input(subject)
    header = read_header(data)
    check_size(header, subject.limits.max_pixels, subject.limits.min_side_pixels)
    way = choose_way(subject, spec, header, len(data))
    if way.source == "encoded":
        prepared = _as_file(data, header, spec)
    else:
        prepared = _decoded(data, header, way, spec, subject, stages)
    hold_pixels = partial(subject.pixel_budget.hold, header.pixels, subject.deadline)
    file = PictureFile(data=data, header=header, hold_pixels=hold_pixels)
    return _prepared_task(prepared, way, spec, subject, file)


def prepare_frame_task(pixels: NDArray[np.uint8], subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare a frame of a video.

    Args:
        pixels: uint8 [height, width, 3], RGB.
        subject: See `prepare_picture_task`.
        stages: Where the times are noted.

    Raises:
        UnsupportedContent: The model takes no pictures.
        CardMismatch: The card names another input than the model has.
        InvalidQuery: The request asks for a way or a threshold that the model has not.
    """
    spec = _picture_input(subject)
    way = choose_way(subject, spec, None, 0)
    wanted, dtype = _wanted(way, spec, subject)
    with stages.time("preprocess"):
        ordered = pixels if wanted.channels == "RGB" else pixels[:, :, ::-1]
        prepared = prepare_picture(np.ascontiguousarray(ordered), wanted, dtype)
    return _prepared_task(prepared, way, spec, subject, None)


def _picture_input(subject: Subject) -> PictureInput:
    spec = subject.card.document.input
    if spec is None:
        raise _takes_no_pictures(subject.model)
    return spec


def _prepared_task(
    prepared: PreparedPicture, way: Way, spec: PictureInput, subject: Subject, file: PictureFile | None
) -> PreparedTask:
    reading = reading_of(subject, spec, way)
    name = spec.tensor if way.source == "float" else way.source
    call = PredictCall(
        signature=way.signature,
        arrays={name: prepared.array, **reading.parameters},
        selector=subject.selector,
        output_filter=subject.options.output_filter if subject.wants_tensors else (),
        batched=batched_inputs(subject.description.signatures[way.signature]),
    )
    return PreparedTask(call=call, interpret=reading.interpreter(prepared.frame, file), kind=reading.kind)


def _as_file(data: bytes, header: PictureHeader, spec: PictureInput) -> PreparedPicture:
    """Leave the file as it is; the graph decodes it and fits it into its input as the proxy would."""
    array = np.empty(1, object)
    array[0] = data
    return PreparedPicture(array, plan_fit(header.width, header.height, spec).frame)


def _decoded(
    data: bytes, header: PictureHeader, way: Way, spec: PictureInput, subject: Subject, stages: Stages
) -> PreparedPicture:
    """Decode and prepare a picture, once the memory for it is free."""
    wanted, dtype = _wanted(way, spec, subject)
    reduction = choose_reduction(*header.upright_size, wanted)
    with subject.pixel_budget.hold(header.pixels, subject.deadline):
        with stages.time("decode"):
            decoded = decode_reduced(data, header, wanted.channels, reduction)
        with stages.time("preprocess"):
            return prepare_picture(decoded.pixels, wanted, dtype, decoded.frame)


def _wanted(way: Way, spec: PictureInput, subject: Subject) -> tuple[PictureInput, np.dtype[np.generic]]:
    """Return what the picture is to become on its way, and the type of its numbers."""
    if way.source == "pixels":
        return _as_pixels(spec), np.dtype(np.uint8)
    return spec, _input_type(way, spec, subject)


def _as_pixels(spec: PictureInput) -> PictureInput:
    """Return the input of a signature that takes bytes of pixels; order, layout and arithmetic are in its graph."""
    plain = {"layout": "NHWC", "channels": "RGB", "mean": (0.0, 0.0, 0.0), "standard_deviation": (1.0, 1.0, 1.0)}
    return spec.model_copy(update=plain)


def _input_type(way: Way, spec: PictureInput, subject: Subject) -> np.dtype[np.generic]:
    """Return the type of the picture's tensor, checking the card against the model's own description."""
    inputs: Mapping[str, TensorSpec] = subject.description.signatures[way.signature].inputs
    if set(inputs) != {spec.tensor}:
        raise _mismatch(subject, "tensor", spec.tensor, f"the inputs {', '.join(sorted(inputs)) or '(none)'}")
    tensor = inputs[spec.tensor]
    if not tensor.takes_shape(spec.shape):
        raise _mismatch(subject, "layout and size", str(list(spec.shape)), f"the shape {tensor.shape_text}")
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

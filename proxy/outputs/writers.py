"""Writers: which function writes which result in which form.

A new form is its media type in `media.py`, a function in a file of its own, and a line here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proxy.outputs import annotated, found, tensors
from proxy.outputs.answer import Answer
from proxy.outputs.media import Media, not_acceptable
from proxy.outputs.result import (
    ClassificationsResult,
    DetectionsResult,
    OpenInferenceResult,
    Result,
    TensorsResult,
)
from proxy.outputs.style import Style

Writer = Callable[[Any, Style], Answer]

_WRITERS: dict[tuple[type[Result], Media], Writer] = {
    (TensorsResult, Media.JSON): tensors.write_json,
    (TensorsResult, Media.NPY): tensors.write_file,
    (TensorsResult, Media.PROTOBUF): tensors.write_protobuf,
    (OpenInferenceResult, Media.JSON): tensors.write_open_inference,
    (DetectionsResult, Media.JSON): found.write_detections,
    (ClassificationsResult, Media.JSON): found.write_classifications,
    (DetectionsResult, Media.NPY): found.write_boxes,
    (ClassificationsResult, Media.NPY): found.write_classes,
    (DetectionsResult, Media.PNG): annotated.write_annotated,
    (DetectionsResult, Media.JPEG): annotated.write_annotated,
    (ClassificationsResult, Media.PNG): annotated.write_annotated,
    (ClassificationsResult, Media.JPEG): annotated.write_annotated,
}


def check_writable(kind: type[Result], media: Media) -> None:
    """Refuse a form that a kind of result cannot be written in, before the model is asked.

    Raises:
        NotAcceptable: There is no writer.
    """
    if (kind, media) not in _WRITERS:
        forms = ", ".join(other.value for other in Media if (kind, other) in _WRITERS)
        raise not_acceptable(media.value, f"What this model answers to this body can be written as {forms}")


def write_answer(result: Result, style: Style) -> Answer:
    """Write a result.

    Raises:
        NotAcceptable: It cannot be written in this form.
        InvalidTensor: See the writers.
    """
    check_writable(type(result), style.media)
    return _WRITERS[type(result), style.media](result, style)

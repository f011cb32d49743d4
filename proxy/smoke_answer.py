"""The answer to a smoke request: whether it has the form that its task promises."""

from __future__ import annotations

from typing import Any

from proxy.errors import SmokeFailed
from proxy.pictures.drawing import Finding, Pixels, draw


def check_answer(answer: dict[str, Any], pixels: Pixels) -> None:
    """Check an answer about a picture.

    Args:
        answer: The JSON document.
        pixels: The picture, [height, width, 3].

    Raises:
        SmokeFailed: It has neither detections nor classifications, or one of them cannot be right.
    """
    if "detections" in answer:
        _check_detections(answer, pixels)
    elif "classifications" in answer:
        _check_found(answer["classifications"], "classifications")
    else:
        raise _failed("answer", f"the keys {sorted(answer)}", "detections or classifications were to be there")


def draw_answer(answer: dict[str, Any], pixels: Pixels) -> None:
    """Draw a checked answer on its picture."""
    found = [*answer.get("detections", ()), *answer.get("classifications", ())]
    draw(pixels, [Finding(entry["label"], entry["class"], entry["score"], entry.get("box")) for entry in found])


def _check_detections(answer: dict[str, Any], pixels: Pixels) -> None:
    height, width = pixels.shape[:2]
    if answer.get("image") != {"width": width, "height": height}:
        raise _failed("answer > image", str(answer.get("image")), f"The picture is {width} x {height} pixels")
    _check_found(answer["detections"], "detections")
    for number, found in enumerate(answer["detections"]):
        if not _lies_inside(found.get("box"), width, height):
            where = f"answer > detections > {number} > box"
            raise _failed(where, str(found.get("box")), f"It must lie inside the picture of {width} x {height} pixels")


def _lies_inside(box: Any, width: int, height: int) -> bool:
    try:
        x1, y1, x2, y2 = box
        return bool(0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height)
    except (TypeError, ValueError):
        return False


def _check_found(found: Any, name: str) -> None:
    if not isinstance(found, list) or not found:
        raise _failed(f"answer > {name}", "nothing was found", "The picture shows something that the model knows")
    for number, entry in enumerate(found):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        _check_entry(entry, f"answer > {name} > {number}")


def _check_entry(entry: Any, where: str) -> None:
    label, score = entry.get("label"), entry.get("score")
    if not isinstance(label, str) or not label:
        raise _failed(f"{where} > label", f"{label!r} for class {entry.get('class')}", "Each class has a label")
    if not isinstance(score, float | int) or not 0 <= score <= 1:
        raise _failed(f"{where} > score", str(score), "A score lies between 0 and 1")


def _failed(where: str, found: str, reason: str) -> SmokeFailed:
    return SmokeFailed(
        where, found, reason, "Check that the picture suits the model, then the model's card and labels (model.yaml)"
    )

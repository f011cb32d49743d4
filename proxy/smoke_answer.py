"""The answer to a smoke request: whether it has the form that its task promises."""

from __future__ import annotations

from typing import Any

from proxy.drawing import Pixels, draw_box, draw_text
from proxy.errors import SmokeFailed


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
    for found in answer.get("detections", ()):
        draw_box(pixels, found["box"], f"{found['label']} {found['score']:.2f}", found["class"])
    for line, found in enumerate(answer.get("classifications", ())):
        draw_text(pixels, f"{found['label']} {found['score']:.2f}", (0, 20 * (line + 1)), found["class"])


def _check_detections(answer: dict[str, Any], pixels: Pixels) -> None:
    height, width = pixels.shape[:2]
    if answer.get("image") != {"width": width, "height": height}:
        raise _failed("answer > image", str(answer.get("image")), f"The picture is {width} x {height} pixels")
    _check_found(answer["detections"], "detections")
    for number, found in enumerate(answer["detections"]):
        x1, y1, x2, y2 = found["box"]
        if not (0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height):
            raise _failed(f"answer > detections > {number} > box", str(found["box"]), "It must lie inside the picture")


def _check_found(found: Any, name: str) -> None:
    if not isinstance(found, list) or not found:
        raise _failed(f"answer > {name}", "nothing was found", "The picture shows something that the model knows")
    for number, entry in enumerate(found):  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        _check_entry(entry, f"answer > {name} > {number}")


def _check_entry(entry: Any, where: str) -> None:
    if not isinstance(entry["label"], str) or not entry["label"]:
        raise _failed(f"{where} > label", f"{entry['label']!r} for class {entry['class']}", "Each class has a label")
    if not isinstance(entry["score"], float | int) or not 0 <= entry["score"] <= 1:
        raise _failed(f"{where} > score", str(entry["score"]), "A score lies between 0 and 1")


def _failed(where: str, found: str, reason: str) -> SmokeFailed:
    return SmokeFailed(
        where, found, reason, "Check that the picture suits the model, then the model's card and labels (model.yaml)"
    )

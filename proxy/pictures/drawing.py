"""Drawing: what was found, on the picture it was found in."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Box = Sequence[float]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GOLDEN_ANGLE = 0.381966  # Of a turn: neighbouring class numbers get colours far apart.


class Finding(NamedTuple):
    """Hold one thing that was found, ready to be drawn."""

    label: str | None
    number: int
    """The class."""
    score: float
    box: Box | None = None
    """x1, y1, x2, y2 in pixels; None for the picture as a whole."""

    @property
    def text(self) -> str:
        """Return what to write beside it."""
        return f"{self.number if self.label is None else self.label} {self.score:.2f}"


def draw(pixels: Pixels, findings: Sequence[Finding]) -> None:
    """Draw boxes with their labels in the colours of their classes; what has no box is listed in the upper left.

    Args:
        pixels: uint8 [height, width, 3], BGR; changed in place.
        findings: The strongest first; its box is drawn last, over the others.
    """
    for finding in reversed(findings):
        if finding.box is not None:
            _draw_box(pixels, finding, finding.box)
    top = 0
    for finding in findings:
        if finding.box is None:
            top += _write(pixels, finding, 0, top)


def _draw_box(pixels: Pixels, finding: Finding, box: Box) -> None:
    x1, y1, x2, y2 = (round(side) for side in box)
    cv2.rectangle(pixels, (x1, y1), (x2, y2), _colour(finding.number), _thickness(pixels))
    _, height, _ = _text_size(pixels, finding.text)
    _write(pixels, finding, x1, max(0, y1 - height))


def _write(pixels: Pixels, finding: Finding, left: int, top: int) -> int:
    """Write a finding on a plate in the colour of its class, as far right as there is room, and return its height."""
    width, height, baseline = _text_size(pixels, finding.text)
    x = max(0, min(left, pixels.shape[1] - width))
    cv2.rectangle(pixels, (x, top), (x + width, top + height), _colour(finding.number), cv2.FILLED)
    at = (x, top + height - baseline // 2 - 1)
    cv2.putText(pixels, finding.text, at, _FONT, _text_scale(pixels), (255, 255, 255), 1, cv2.LINE_AA)
    return height


def _text_size(pixels: Pixels, text: str) -> tuple[int, int, int]:
    """Return width and height of a text's plate, and how far the text stays above its lower edge."""
    (width, height), baseline = cv2.getTextSize(text, _FONT, _text_scale(pixels), 1)
    return width, height + baseline, baseline


def _text_scale(pixels: Pixels) -> float:
    return max(0.4, min(pixels.shape[:2]) / 1000)


def _thickness(pixels: Pixels) -> int:
    return max(1, min(pixels.shape[:2]) // 200)


def _colour(number: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN_ANGLE % 1, 0.9, 0.7)
    return round(blue * 255), round(green * 255), round(red * 255)

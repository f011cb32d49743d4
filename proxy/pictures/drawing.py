"""Drawing: what was found, on the picture it was found in."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Box = Sequence[float]

_FONT = cv2.FONT_HERSHEY_SIMPLEX
_GOLDEN_ANGLE = 0.381966  # Of a turn: neighbouring class numbers get colours far apart.


def draw_box(pixels: Pixels, box: Box, text: str, number: int) -> None:
    """Draw a box with its text in the colour of its class.

    Args:
        pixels: uint8 [height, width, 3], BGR; changed in place.
        box: x1, y1, x2, y2 in pixels.
        text: What to write above the box.
        number: The class.
    """
    x1, y1, x2, y2 = (round(side) for side in box)
    colour = _colour(number)
    cv2.rectangle(pixels, (x1, y1), (x2, y2), colour, _thickness(pixels))
    draw_text(pixels, text, (x1, y1), number)


def draw_text(pixels: Pixels, text: str, corner: tuple[int, int], number: int) -> None:
    """Write text on a plate of the class's colour, its lower left at `corner`, or below it at the upper edge."""
    scale = max(0.4, min(pixels.shape[:2]) / 1000)
    (width, height), baseline = cv2.getTextSize(text, _FONT, scale, 1)
    x = max(0, min(corner[0], pixels.shape[1] - width))
    y = max(corner[1], height + baseline)
    cv2.rectangle(pixels, (x, y - height - baseline), (x + width, y), _colour(number), cv2.FILLED)
    cv2.putText(pixels, text, (x, y - baseline // 2 - 1), _FONT, scale, (255, 255, 255), 1, cv2.LINE_AA)


def _thickness(pixels: Pixels) -> int:
    return max(1, min(pixels.shape[:2]) // 200)


def _colour(number: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN_ANGLE % 1, 0.9, 0.7)
    return round(blue * 255), round(green * 255), round(red * 255)

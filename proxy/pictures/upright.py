"""Turning a picture upright, as its EXIF orientation says."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from proxy.pictures.frame import Frame

Pixels = NDArray[np.uint8]

_TRANSPOSED = frozenset({5, 6, 7, 8})
# Mirrored after the transposition, if there is one.
_MIRRORED_IN_X = frozenset({2, 3, 6, 7})
_MIRRORED_IN_Y = frozenset({3, 4, 7, 8})


def turn_upright(pixels: Pixels, orientation: int) -> Pixels:
    """Return the pixels as a viewer shows them.

    Args:
        pixels: uint8 [height, width, 3] as stored.
        orientation: 1 to 8, as EXIF counts.
    """
    if orientation in _TRANSPOSED:
        pixels = np.asarray(cv2.transpose(pixels), np.uint8)
    axis = {(True, True): -1, (True, False): 1, (False, True): 0}.get(
        (orientation in _MIRRORED_IN_X, orientation in _MIRRORED_IN_Y)
    )
    return pixels if axis is None else np.asarray(cv2.flip(pixels, axis), np.uint8)


def upright_frame(width: int, height: int, orientation: int, reduction: int) -> Frame:
    """Return where the pixels of a reduced picture, once upright, lie on the source as a viewer shows it.

    The last pixel of a reduced row or column may stand for fewer than `reduction` pixels of the source. When the
    picture is mirrored it comes first, and the source then begins inside of it.

    Args:
        width: Of the source as stored.
        height: Of the source as stored.
        orientation: 1 to 8, as EXIF counts.
        reduction: Source pixels per decoded pixel, in both directions.
    """
    if orientation in _TRANSPOSED:
        width, height = height, width
    return Frame(
        source_width=width,
        source_height=height,
        scale_x=1 / reduction,
        scale_y=1 / reduction,
        offset_x=-width % reduction / reduction if orientation in _MIRRORED_IN_X else 0.0,
        offset_y=-height % reduction / reduction if orientation in _MIRRORED_IN_Y else 0.0,
    )

"""Pictures: photographs of scikit-image as JPEG files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import skimage

_FOLDER = Path(skimage.__file__).parent / "data"


def original_upload() -> bytes:
    """Return a photograph's file as it was published: 640 x 427 pixels, 113 kB, never decoded by us."""
    return (_FOLDER / "rocket.jpg").read_bytes()


def coffee(width: int, height: int, quality: int = 95) -> bytes:
    """Return a picture of a coffee cup, scaled to a size, as a JPEG file."""
    pixels = cv2.imread(str(_FOLDER / "coffee.png"))
    return encoded(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_CUBIC), quality)


def encoded(pixels: np.ndarray, quality: int) -> bytes:
    """Return pixels (BGR) as a JPEG file."""
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def as_array(picture: bytes, side: int) -> np.ndarray:
    """Return a picture as float32 [1, side, side, 3] from 0 to 1, the input of the naive ways."""
    pixels = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    resized = cv2.cvtColor(cv2.resize(pixels, (side, side)), cv2.COLOR_BGR2RGB)
    return (resized[None] / np.float32(255)).astype(np.float32)

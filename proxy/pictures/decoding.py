"""Decoding: the bytes of a picture's file into pixels, upright."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from proxy.errors import InvalidPicture
from proxy.pictures import jpeg, png, webp
from proxy.pictures.frame import Frame
from proxy.pictures.header import WHERE, PictureHeader
from proxy.pictures.upright import turn_upright, upright_frame

Channels = Literal["RGB", "BGR"]
Pixels = NDArray[np.uint8]

# Of a JPEG: grey and colour.
_PICTURE_COMPONENTS = (1, 3)
_DECODE_FLAGS: dict[Channels, int] = {
    "RGB": cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION,
    "BGR": cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION,
}


@dataclass(frozen=True, slots=True)
class DecodedPicture:
    """Hold the pixels of a picture, perhaps fewer than its file has, and where they lie on it."""

    pixels: Pixels
    """uint8 [height, width, 3], upright."""
    frame: Frame
    """From the pixels to the source as a viewer shows it."""


def decode_picture(data: bytes, header: PictureHeader, channels: Channels) -> Pixels:
    """Decode every pixel of a picture, turned upright as its EXIF orientation says.

    Args:
        data: The bytes of the file.
        header: What `read_header` read of it; whoever limits the size has checked it.
        channels: The order of the colour channels wanted.

    Returns:
        The pixels, uint8 [height, width, 3]; grey becomes colour, transparency is dropped, 16 bits become 8.

    Raises:
        InvalidPicture: The bytes are cut off or damaged.
    """
    return decode_reduced(data, header, channels, 1).pixels


def decode_reduced(data: bytes, header: PictureHeader, channels: Channels, reduction: int) -> DecodedPicture:
    """Decode a picture as `decode_picture` does, a large JPEG at a part of its size.

    Args:
        data: The bytes of the file.
        header: What `read_header` read of it; whoever limits the size has checked it.
        channels: The order of the colour channels wanted.
        reduction: Source pixels per decoded pixel in both directions: 1, 2, 4 or 8. Only JPEG files are reduced, and
            of those not the unusual ones; the frame says what was done.

    Raises:
        InvalidPicture: The bytes are cut off or damaged.
    """
    pixels = None
    if header.components in _PICTURE_COMPONENTS:
        pixels = jpeg.decode(data, (header.width, header.height), channels, reduction)
    if pixels is None:
        # What is left: the other formats, CMYK, and the damage that viewers overlook. OpenCV refuses the rest.
        reduction = 1
        pixels = _DECODERS[header.kind](data, header, channels)
    if pixels is None:
        raise _undecodable(header, len(data))
    frame = upright_frame(header.width, header.height, header.orientation, reduction)
    return DecodedPicture(turn_upright(pixels, header.orientation), frame)


def _decode_jpeg(data: bytes, header: PictureHeader, channels: Channels) -> Pixels | None:
    del header
    return _decoded(data, channels)


def _decode_png(data: bytes, header: PictureHeader, channels: Channels) -> Pixels | None:
    del header
    safe = png.essential_chunks(data)
    return None if safe is None else _decoded(safe, channels)


def _decode_webp(data: bytes, header: PictureHeader, channels: Channels) -> Pixels | None:
    """Decode the first picture; what an animation's canvas shows beside it is black."""
    still = webp.first_picture(data)
    if still is None or still.left + still.width > header.width or still.top + still.height > header.height:
        return None
    pixels = _decoded(still.data, channels)
    if pixels is None or (still.width, still.height) == (header.width, header.height):
        return pixels
    canvas = np.zeros((header.height, header.width, 3), np.uint8)
    canvas[still.top : still.top + still.height, still.left : still.left + still.width] = pixels
    return canvas


_DECODERS = {"JPEG": _decode_jpeg, "PNG": _decode_png, "WebP": _decode_webp}


def _decoded(data: bytes, channels: Channels) -> Pixels | None:
    """Decode with OpenCV, or return None for what it cannot read."""
    try:
        pixels: object = cv2.imdecode(np.frombuffer(data, np.uint8), _DECODE_FLAGS[channels])
    except cv2.error:
        return None
    return np.asarray(pixels, np.uint8) if isinstance(pixels, np.ndarray) else None


def _undecodable(header: PictureHeader, size: int) -> InvalidPicture:
    return InvalidPicture(
        WHERE,
        f"a {header.kind} of {header.width} x {header.height} pixels whose {size} bytes are cut off or damaged",
        "Its pixels cannot be decoded",
        "Check that the whole file was sent and that it opens in a viewer",
    )

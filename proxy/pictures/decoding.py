"""Pictures: JPEG and PNG bytes into pixels, with the size checked from the header before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from proxy.errors import InvalidPicture, PictureTooLarge
from proxy.pictures import jpeg, png

Channels = Literal["RGB", "BGR"]

BYTES_PER_PIXEL = 6
"""Memory that decoding takes: three channels, which OpenCV holds twice for a moment (measured)."""

_WHERE = "picture in the request body"
_SEND = "Send the bytes of a JPEG or PNG file"

_DECODE_FLAGS: dict[Channels, int] = {"RGB": cv2.IMREAD_COLOR_RGB, "BGR": cv2.IMREAD_COLOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHeader:
    """Hold what a picture says of itself before its pixels: its size as stored, before any EXIF rotation."""

    kind: Literal["JPEG", "PNG"]
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """Return width times height."""
        return self.width * self.height


def read_header(data: bytes) -> PictureHeader:
    """Read kind and size of a picture without decoding it.

    Raises:
        InvalidPicture: The bytes are neither JPEG nor PNG, or have no readable size.
    """
    if data.startswith(png.SIGNATURE):
        return _header("PNG", png.read_size(data))
    if data.startswith(jpeg.SIGNATURE):
        return _header("JPEG", jpeg.read_size(data))
    found = f"{len(data)} bytes that begin like neither a JPEG nor a PNG file" if data else "no bytes at all"
    raise InvalidPicture(_WHERE, found, "The proxy decodes these two formats", _SEND)


def _header(kind: Literal["JPEG", "PNG"], size: tuple[int, int] | None) -> PictureHeader:
    if size is None or 0 in size:
        raise InvalidPicture(
            _WHERE,
            f"a {kind} without a readable size in its header",
            "The file is cut off or damaged",
            "Check that the whole file was sent and that it opens in a viewer",
        )
    return PictureHeader(kind=kind, width=size[0], height=size[1])


def check_size(header: PictureHeader, max_pixels: int, min_side_pixels: int) -> None:
    """Refuse a picture that is too large to decode or too small to hold anything.

    Raises:
        PictureTooLarge: More than `max_pixels`.
        InvalidPicture: A side shorter than `min_side_pixels`.
    """
    size = f"{header.width} x {header.height} pixels"
    if header.pixels > max_pixels:
        raise PictureTooLarge(
            _WHERE,
            f"a {header.kind} of {size}",
            f"Decoding it would take {header.pixels * BYTES_PER_PIXEL // 1_000_000} MB of memory, "
            f"and the limit is {max_pixels} pixels (limits > max-pixels)",
            "Send a smaller copy; models look at a few hundred pixels a side",
        )
    if min(header.width, header.height) < min_side_pixels:
        raise InvalidPicture(
            _WHERE,
            f"a {header.kind} of {size}",
            f"A side under {min_side_pixels} pixels (limits > min-side-pixels) holds nothing that a model can see",
            "Send the picture in its original size",
        )


def decode_picture(data: bytes, header: PictureHeader, channels: Channels) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG file, turned upright as its EXIF orientation says.

    Args:
        data: The bytes of the file.
        header: What `read_header` read of it; whoever limits the size has checked it.
        channels: The order of the colour channels wanted.

    Returns:
        The pixels, uint8 [height, width, 3]; grey becomes colour, transparency is dropped, 16 bits become 8.

    Raises:
        InvalidPicture: The bytes are cut off or damaged.
    """
    safe = png.essential_chunks(data) if header.kind == "PNG" else data
    pixels = None if safe is None else _decoded(safe, channels)
    if pixels is None:
        raise _undecodable(header, len(data))
    return pixels


def _decoded(data: bytes, channels: Channels) -> NDArray[np.uint8] | None:
    """Decode with OpenCV, or return None for what it cannot read."""
    try:
        pixels: object = cv2.imdecode(np.frombuffer(data, np.uint8), _DECODE_FLAGS[channels])
    except cv2.error:
        return None
    return np.asarray(pixels, np.uint8) if isinstance(pixels, np.ndarray) else None


def _undecodable(header: PictureHeader, size: int) -> InvalidPicture:
    return InvalidPicture(
        _WHERE,
        f"a {header.kind} of {header.width} x {header.height} pixels whose {size} bytes are cut off or damaged",
        "Its pixels cannot be decoded",
        "Check that the whole file was sent and that it opens in a viewer",
    )

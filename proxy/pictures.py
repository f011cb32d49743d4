"""Pictures: JPEG and PNG bytes into pixels, with the size checked from the header before anything is decoded."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from proxy.errors import InvalidPicture, PictureTooLarge

Channels = Literal["RGB", "BGR"]

_WHERE = "picture in the request body"
_SEND = "Send the bytes of a JPEG or PNG file"

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SIGNATURE = b"\xff\xd8\xff"
_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
# Markers 0xC0 to 0xCF begin a frame and hold its size, save three that define tables (ITU-T T.81, table B.1).
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# What has no length field: a stuffed zero (no marker at all), TEM and the restart markers.
_STANDALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD8)})

_DECODE_FLAGS: dict[Channels, int] = {"RGB": cv2.IMREAD_COLOR_RGB, "BGR": cv2.IMREAD_COLOR}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHeader:
    """Hold what a picture says of itself before its pixels: its size as stored, before any EXIF rotation."""

    kind: Literal["JPEG", "PNG"]
    width: int
    height: int


def read_header(data: bytes) -> PictureHeader:
    """Read kind and size of a picture without decoding it.

    Raises:
        InvalidPicture: The bytes are neither JPEG nor PNG, or end before the size.
    """
    if data.startswith(_PNG_SIGNATURE):
        return _read_png_header(data)
    if data.startswith(_JPEG_SIGNATURE):
        return _read_jpeg_header(data)
    found = f"{len(data)} bytes that begin like neither a JPEG nor a PNG file" if data else "no bytes at all"
    raise InvalidPicture(_WHERE, found, "The proxy decodes these two formats", _SEND)


def check_size(header: PictureHeader, max_pixels: int, min_side_pixels: int) -> None:
    """Refuse a picture that is too large to decode or too small to hold anything.

    Raises:
        PictureTooLarge: More than `max_pixels`.
        InvalidPicture: A side shorter than `min_side_pixels`.
    """
    size = f"{header.width} x {header.height} pixels"
    if header.width * header.height > max_pixels:
        raise PictureTooLarge(
            _WHERE,
            f"a {header.kind} of {size}",
            f"Decoding it would take {header.width * header.height * 3 // 1_000_000} MB of memory, "
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


def decode_picture(data: bytes, channels: Channels, max_pixels: int, min_side_pixels: int) -> NDArray[np.uint8]:
    """Decode a JPEG or PNG file, turned upright as its EXIF orientation says.

    Args:
        data: The bytes of the file.
        channels: The order of the colour channels wanted.
        max_pixels: The largest picture decoded.
        min_side_pixels: The shortest side taken.

    Returns:
        The pixels, uint8 [height, width, 3]; grey becomes colour, transparency is dropped, 16 bits become 8.

    Raises:
        InvalidPicture: The bytes are no picture, are cut off or damaged, or the picture is too small.
        PictureTooLarge: The header names more pixels than `max_pixels`.
    """
    header = read_header(data)
    check_size(header, max_pixels, min_side_pixels)
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), _DECODE_FLAGS[channels])
    except cv2.error as error:
        raise _undecodable(header, len(data)) from error
    # OpenCV's stubs promise an array; it returns None for a file that it cannot read.
    if pixels is None:  # pyright: ignore[reportUnnecessaryComparison]
        raise _undecodable(header, len(data))
    return np.asarray(pixels, np.uint8)


def _undecodable(header: PictureHeader, size: int) -> InvalidPicture:
    return InvalidPicture(
        _WHERE,
        f"a {header.kind} of {header.width} x {header.height} pixels whose {size} bytes are cut off or damaged",
        "Its pixels cannot be decoded",
        "Check that the whole file was sent and that it opens in a viewer",
    )


def _read_png_header(data: bytes) -> PictureHeader:
    if len(data) < 24 or data[12:16] != b"IHDR":
        raise _headless("PNG")
    width, height = struct.unpack_from(">II", data, 16)
    return _checked("PNG", width, height)


def _read_jpeg_header(data: bytes) -> PictureHeader:
    """Walk the segments up to the frame header; a thumbnail inside a segment is jumped over with it."""
    position = 2
    while True:
        position, marker = _next_marker(data, position)
        if marker in _STANDALONE:
            continue
        if marker in (_START_OF_SCAN, _END_OF_IMAGE) or position + 7 > len(data):
            raise _headless("JPEG")
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, position + 3)
            return _checked("JPEG", width, height)
        position += max(2, struct.unpack_from(">H", data, position)[0])


def _next_marker(data: bytes, position: int) -> tuple[int, int]:
    """Find the next marker and return the position after it; a byte 0xFF may be repeated before a marker."""
    position = data.find(b"\xff", position)
    while 0 <= position < len(data) and data[position] == 0xFF:
        position += 1
    if not 0 < position < len(data):
        raise _headless("JPEG")
    return position + 1, data[position]


def _checked(kind: Literal["JPEG", "PNG"], width: int, height: int) -> PictureHeader:
    if width == 0 or height == 0:
        raise _headless(kind)
    return PictureHeader(kind=kind, width=width, height=height)


def _headless(kind: str) -> InvalidPicture:
    return InvalidPicture(
        _WHERE,
        f"a {kind} without a readable size in its header",
        "The file is cut off or damaged",
        "Check that the whole file was sent and that it opens in a viewer",
    )

"""JPEG files: the size, read from the segments before the pixels (ITU-T T.81, annex B)."""

from __future__ import annotations

import struct

SIGNATURE = b"\xff\xd8\xff"

_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
# Markers 0xC0 to 0xCF begin a frame and hold its size, save three that define tables (table B.1).
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# What has no length field: a stuffed zero (no marker at all), TEM and the restart markers.
_STANDALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD8)})


def read_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, or None for a file without them.

    A thumbnail stands inside a segment and is jumped over with it.
    """
    position = 2
    while True:
        position = _after_marker(data, position)
        if position is None or position + 7 > len(data):
            return None
        marker = data[position - 1]
        if marker in _STANDALONE:
            continue
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return None
        if marker in _START_OF_FRAME:
            height, width = struct.unpack_from(">HH", data, position + 3)
            return width, height
        position += max(2, struct.unpack_from(">H", data, position)[0])


def _after_marker(data: bytes, position: int) -> int | None:
    """Return the position after the next marker; the byte 0xFF before it may be repeated."""
    position = data.find(b"\xff", position)
    while 0 <= position < len(data) and data[position] == 0xFF:
        position += 1
    return position + 1 if 0 < position < len(data) else None

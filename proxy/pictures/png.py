"""PNG files: the size, the orientation, and the chunks that the pixels need (https://www.w3.org/TR/png-3/)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from proxy.pictures import exif

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_LENGTH_AND_TYPE = struct.Struct(">I4s")
_AROUND = 12  # Bytes of a chunk beside its data: length, type, checksum.
_NEEDED = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_MAX_CHUNKS = 65_536


def read_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, or None for a file without them."""
    if len(data) < 24 or data[12:16] != b"IHDR":
        return None
    width, height = struct.unpack_from(">II", data, 16)
    return width, height


def read_orientation(data: bytes) -> int:
    """Return the orientation of the file's eXIf chunk, 1 to 8; 1 where there is none."""
    for number, (kind, start, end) in enumerate(_chunks(data)):
        if kind == b"eXIf":
            return exif.read_orientation(data[start + 8 : end - 4])
        if number >= _MAX_CHUNKS:
            break
    return exif.UPRIGHT


def essential_chunks(data: bytes) -> bytes | None:
    """Return the file with only the chunks that its pixels need.

    OpenCV's reader reserves as much memory as a chunk claims to be long, up to 4 GB, before it looks for the bytes; it
    also unpacks texts and the frames of an animation. So every length is checked here and the rest is left out.

    Returns:
        The file, or None where a chunk is longer than the file, the end is missing, or the chunks are too many.
    """
    pieces = [SIGNATURE]
    for number, (kind, start, end) in enumerate(_chunks(data)):
        if end > len(data) or number >= _MAX_CHUNKS:
            return None
        if kind in _NEEDED:
            pieces.append(data[start:end])
        if kind == b"IEND":
            return b"".join(pieces)
    return None


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield type, start and end of each chunk; the end may lie beyond the file."""
    start = len(SIGNATURE)
    while start + _AROUND <= len(data):
        length, kind = _LENGTH_AND_TYPE.unpack_from(data, start)
        yield kind, start, start + _AROUND + length
        start += _AROUND + length

"""WebP files: the size, the orientation and the first picture (RFC 9649, section 2)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from proxy.pictures import exif

_RIFF_HEADER = 12
_CHUNK_HEADER = struct.Struct("<4sI")
_FRAME_HEADER = 16
_MAX_CHUNKS = 4096
_PIXELS = (b"VP8 ", b"VP8L")


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """Hold one picture of a file as a file of its own, and where it lies on the whole."""

    left: int
    top: int
    width: int
    height: int
    data: bytes


def begins(data: bytes) -> bool:
    """Say whether this is the beginning of a WebP file."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def read_size(data: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels, those of the canvas of an extended file, or None without a readable one."""
    kind, start, end = next(_chunks(data, _RIFF_HEADER, len(data)), (b"", 0, 0))
    if kind == b"VP8X":
        return (1 + _uint24(data, start + 4), 1 + _uint24(data, start + 7)) if start + 10 <= len(data) else None
    return _bitstream_size(kind, data[start : min(end, start + 10)])


def read_orientation(data: bytes) -> int:
    """Return the orientation of the file's EXIF chunk, 1 to 8; 1 where there is none."""
    for kind, start, end in _chunks(data, _RIFF_HEADER, len(data)):
        if kind == b"EXIF":
            return exif.read_orientation(data[start:end].removeprefix(exif.PREFIX))
    return exif.UPRIGHT


def first_picture(data: bytes) -> Still | None:
    """Return the picture of a still file, or the first one of an animation; None for a damaged file.

    Only the chunk with its pixels is taken: what decodes it then can meet neither another size than the one returned
    here nor the canvases of an animation. Transparency is left out.
    """
    for kind, start, end in _chunks(data, _RIFF_HEADER, len(data)):
        if end > len(data):
            return None
        if kind in _PIXELS:
            return _still(kind, data[start:end], 0, 0)
        if kind == b"ANMF" and end - start > _FRAME_HEADER:
            return _first_of_frame(data, start, end)
    return None


def _first_of_frame(data: bytes, start: int, end: int) -> Still | None:
    left, top = 2 * _uint24(data, start), 2 * _uint24(data, start + 3)
    for kind, inner_start, inner_end in _chunks(data, start + _FRAME_HEADER, end):
        if inner_end > end:
            return None
        if kind in _PIXELS:
            return _still(kind, data[inner_start:inner_end], left, top)
    return None


def _still(kind: bytes, payload: bytes, left: int, top: int) -> Still | None:
    size = _bitstream_size(kind, payload)
    if size is None:
        return None
    body = b"WEBP" + _CHUNK_HEADER.pack(kind, len(payload)) + payload + b"\x00" * (len(payload) % 2)
    return Still(left=left, top=top, width=size[0], height=size[1], data=_CHUNK_HEADER.pack(b"RIFF", len(body)) + body)


def _bitstream_size(kind: bytes, payload: bytes) -> tuple[int, int] | None:
    """Return the size that the pixels' own header names (RFC 6386, section 9.1; RFC 9649, section 3.4)."""
    if kind == b"VP8 " and len(payload) >= 10 and payload[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", payload, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(payload) >= 5 and payload[0] == 0x2F:
        (bits,) = struct.unpack_from("<I", payload, 1)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None


def _chunks(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each chunk's payload; the last end may lie beyond the file."""
    for _ in range(_MAX_CHUNKS):
        if start + _CHUNK_HEADER.size > end:
            return
        kind, length = _CHUNK_HEADER.unpack_from(data, start)
        start += _CHUNK_HEADER.size
        yield kind, start, start + length
        start += length + length % 2


def _uint24(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 3], "little")

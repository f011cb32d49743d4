"""Video containers: which kind a file is, and whether its end is missing, told from its own structure.

Only kinds that hold their frames themselves are known here. Playlists, scripts of file names and streams by address
are none of them, so nothing that ffmpeg reads can send it elsewhere.
"""

from __future__ import annotations

from typing import Literal

from proxy.errors import InvalidVideo

Kind = Literal["mov", "matroska", "avi"]
"""As ffmpeg names their demuxers."""

WHERE = "video in the request body"

_ISO_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"})
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"
_MOST_BOXES = 10_000


def recognise(data: bytes) -> Kind:
    """Return the kind of a video file.

    Raises:
        InvalidVideo: It is of no kind that the proxy reads, or its end is missing.
    """
    if data[4:8] in _ISO_BOXES:
        return _whole("mov", _iso_end(data), len(data))
    if data.startswith(_EBML):
        return _whole("matroska", _matroska_end(data), len(data))
    if data[:4] == b"RIFF" and data[8:12] == b"AVI ":
        return _whole("avi", 8 + int.from_bytes(data[4:8], "little"), len(data))
    raise InvalidVideo(
        where=WHERE,
        found=f"{len(data)} bytes that begin like no MP4, QuickTime, WebM, Matroska or AVI file",
        reason="The proxy reads these kinds of video",
        remedy="Convert it to one of them, such as MP4 with H.264",
    )


def _whole(kind: Kind, end: int, size: int) -> Kind:
    if end > size:
        raise InvalidVideo(
            where=WHERE,
            found=f"a file of {size} bytes that says it has at least {end}",
            reason="Its end is missing",
            remedy="Check that the whole file was sent and that it plays",
        )
    return kind


def _iso_end(data: bytes) -> int:
    """Return where the last box ends, perhaps beyond the file (ISO/IEC 14496-12, section 4.2)."""
    position = 0
    for _ in range(_MOST_BOXES):
        if position + 8 > len(data):
            break
        length = int.from_bytes(data[position : position + 4], "big")
        if length == 1:
            length = int.from_bytes(data[position + 8 : position + 16], "big")
        if length < 8:  # 0: up to the end of the file; less cannot be, and ffmpeg will say so.
            return len(data)
        position += length
    return position


def _matroska_end(data: bytes) -> int:
    """Return where the segment with the frames ends, the end of the file when it does not say (RFC 8794, section 4)."""
    position, size = len(_EBML), None
    header_length, size = _ebml_size(data, position)
    position += header_length + (size or 0)
    if data[position : position + 4] != _SEGMENT:
        return len(data)
    header_length, size = _ebml_size(data, position + 4)
    return len(data) if size is None else position + 4 + header_length + size


def _ebml_size(data: bytes, position: int) -> tuple[int, int | None]:
    """Return how many bytes an element's size takes, and the size; None when it is unknown, as in a live stream."""
    first = data[position] if position < len(data) else 0
    if first == 0:
        return 1, None
    length = 9 - first.bit_length()
    ones = (1 << 7 * length) - 1
    value = int.from_bytes(data[position : position + length], "big") & ones
    return length, None if value == ones else value

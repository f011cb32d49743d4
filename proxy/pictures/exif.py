"""EXIF: the one tag that matters to a model, the orientation (CIPA DC-008, section 4.6.4; TIFF 6.0, section 2)."""

from __future__ import annotations

import struct

UPRIGHT = 1
"""The orientation of a picture that is shown as it is stored."""

PREFIX = b"Exif\x00\x00"
"""What stands before the TIFF structure inside a JPEG segment, and in some writers' WebP chunks."""

_ORIENTATION_TAG = 0x0112
_SHORT = 3
_ENTRY_BYTES = 12
_BYTE_ORDERS = {b"II*\x00": "<", b"MM\x00*": ">"}


def read_orientation(tiff: bytes) -> int:
    """Return the orientation that a TIFF structure names, 1 to 8; 1 where it names none or cannot be read."""
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return UPRIGHT
    (start,) = struct.unpack_from(f"{order}I", tiff, 4)
    if start + 2 > len(tiff):
        return UPRIGHT
    (count,) = struct.unpack_from(f"{order}H", tiff, start)
    readable = min(count, (len(tiff) - start - 2) // _ENTRY_BYTES)
    for number in range(readable):
        tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + number * _ENTRY_BYTES)
        if tag == _ORIENTATION_TAG:
            return value if (kind, values) == (_SHORT, 1) and 1 <= value <= 8 else UPRIGHT
    return UPRIGHT

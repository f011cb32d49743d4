"""Fields: a walk over the fields of a serialised message, without making an object of each.

The encoding is Protocol Buffers' (https://protobuf.dev/programming-guides/encoding/). What the walk takes and what it
refuses is what the generated parser takes and refuses, but for groups nested deeper than `MAX_GROUP_DEPTH`.
"""

from __future__ import annotations

from collections.abc import Iterator

Span = tuple[int, int]
"""Where a value begins and ends in the bytes of the whole message."""

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)

MAX_GROUP_DEPTH = 64
"""Groups are a form that this protocol never uses; they may only be unknown fields, and those are not this deep."""

_MAX_TAG_BYTES = 5
_MAX_VARINT_BYTES = 10
_UINT64 = 2**64 - 1


class Malformed(Exception):
    """Bytes that are no message; the text says what is wrong and at which byte."""


def walk(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Walk over the fields of the message that stands between two positions.

    Args:
        data: The bytes that hold the message, and perhaps others around it.
        start: Where the message begins.
        end: Where it ends.

    Yields:
        The field's number, its wire type, and where its value begins and ends. Groups are stepped over.

    Raises:
        Malformed: There is no message.
    """
    at = start
    while at < end:
        number, kind, begin, at = _field(data, at, end)
        if kind == GROUP:
            at = _end_of_group(data, number, at, end)
        elif kind == END_GROUP:
            raise Malformed(f"a group that ends without a beginning, before byte {at}")
        else:
            yield number, kind, begin, at


def read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number of variable length; return it, cut to 64 bits, and the position behind it.

    Raises:
        Malformed: It does not end before `end`, or not after ten bytes.
    """
    if at < end and data[at] < 0x80:
        return data[at], at + 1
    value = shift = 0
    for position in range(at, min(end, at + _MAX_VARINT_BYTES)):
        byte = data[position]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & _UINT64, position + 1
        shift += 7
    raise Malformed(f"a number that does not end, at byte {at}")


def read_text(data: bytes, start: int, end: int) -> str:
    """Read a string field.

    Raises:
        Malformed: It is not UTF-8.
    """
    try:
        return data[start:end].decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"a text that is not UTF-8, at byte {start + error.start}") from error


def signed(value: int, bits: int) -> int:
    """Return the signed number of the lowest bits."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _field(data: bytes, at: int, end: int) -> tuple[int, int, int, int]:
    """Read a tag and find its value; a group has only its tag here."""
    tag, begin = read_varint(data, at, min(end, at + _MAX_TAG_BYTES))
    number, kind = tag >> 3, tag & 7
    if number == 0 or tag >> 32:
        raise Malformed(f"the tag {tag}, which no field has, at byte {at}")
    stop = begin
    if kind == BYTES:
        size, begin = read_varint(data, begin, end)
        stop = begin + size
    elif kind == VARINT:
        _, stop = read_varint(data, begin, end)
    elif kind == FIXED32:
        stop = begin + 4
    elif kind == FIXED64:
        stop = begin + 8
    elif kind not in (GROUP, END_GROUP):
        raise Malformed(f"the wire type {kind}, which does not exist, at byte {at}")
    if stop > end:
        raise Malformed(f"a field that ends outside its message, at byte {at}")
    return number, kind, begin, stop


def _end_of_group(data: bytes, number: int, at: int, end: int) -> int:
    """Step over a group, and over those inside it."""
    opened = [number]
    while opened:
        number, kind, _, at = _field(data, at, end)
        if kind == GROUP:
            opened.append(number)
        elif kind == END_GROUP and number != opened.pop():
            raise Malformed(f"a group that ends as another one, before byte {at}")
        if len(opened) > MAX_GROUP_DEPTH:
            raise Malformed(f"more than {MAX_GROUP_DEPTH} groups inside each other, before byte {at}")
    return at

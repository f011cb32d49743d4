"""JSON documents: a body to Python values, with its long lists of numbers left as text until their type is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, cast

import orjson

from proxy.errors import InvalidJson, RequestError
from proxy.inputs.json_numbers import NotNumbers, NumberText

Value = TypeVar("Value")

# Shorter lists are read no faster by way of their text.
_LONG_BYTES = 32 * 1024

# Behind a list come brackets, braces and little else before the next string.
_TAIL_BYTES = 4096

# A document with more strings has its numbers in many small pieces.
_MAX_STRINGS = 4096

# A list that was taken out stands in the document as an object with this key and the list's number.
_TAKEN_OUT = "numbers taken out"

# How deep in objects and lists of objects the document is searched for what was taken out.
_MAX_DEPTH = 8

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_KINDS: dict[type[object], str] = {
    dict: "object",
    list: "list",
    NumberText: "list",
    str: "text",
    bool: "boolean",
    type(None): "null",
}


def read_document(data: bytes | memoryview, remedy: str, read: Callable[[Any], Value]) -> Value:
    """Parse a body and read it, the fast way or, where that does not work out, the general way.

    Args:
        data: The body: UTF-8, perhaps with a byte order mark.
        remedy: What the message on a broken body says to do.
        read: Makes something of the document. The values of its objects may be `NumberText`; whoever meets one calls
            its `read`. It is called once more, with lists in their place, where it refuses the document with those.

    Raises:
        InvalidJson: The body is no JSON.
        RequestError: What `read` raises.
    """
    data = bytes(data).removeprefix(_BYTE_ORDER_MARK)
    document = _with_number_texts(data)
    if document is not None:
        try:
            return read(document)
        except (RequestError, NotNumbers):
            # The general way knows what is wrong, or that nothing is.
            del document
    return read(parse_document(data, remedy))


def parse_document(data: bytes, remedy: str) -> Any:
    """Parse a body the general way.

    Raises:
        InvalidJson: The body is no JSON.
    """
    try:
        return orjson.loads(data.removeprefix(_BYTE_ORDER_MARK))
    except orjson.JSONDecodeError as error:
        raise InvalidJson("JSON body", f"no JSON ({error})", "The body must be one JSON object", remedy) from error


def kind_of(value: object) -> str:
    """Return JSON's name of a value's type."""
    return _KINDS.get(type(value), "number")


def _with_number_texts(data: bytes) -> Any:
    """Return the document with its long lists as `NumberText`, or None where there are none."""
    spans = list(_spans(data)) if len(data) >= _LONG_BYTES else []
    if not spans:
        return None
    rest = _without(data, spans)
    # A backslash may hide where a string ends, and nobody else may write what stands for a list.
    if b"\\" in rest or rest.count(_TAKEN_OUT.encode()) != len(spans):
        return None
    try:
        document: Any = orjson.loads(rest)
    except orjson.JSONDecodeError:
        return None
    view = memoryview(data)
    return _restored(document, [NumberText(view[start:end]) for start, end in spans], _MAX_DEPTH)


def _spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Find the long lists without a string or an object that are the value of a key."""
    position = 0
    for _ in range(_MAX_STRINGS):
        quote = data.find(b'"', position)
        end = len(data) if quote < 0 else quote
        if end - position >= _LONG_BYTES and (span := _span(data, position, end)):
            yield span
        closing = data.find(b'"', quote + 1)
        if quote < 0 or closing < 0:
            return
        position = closing + 1


def _span(data: bytes, start: int, end: int) -> tuple[int, int] | None:
    """Find a long list in a part of the body that has no quotes and follows a string."""
    opening = data.find(b"[", start, end)
    if opening < 0 or data[start:opening].strip() != b":":
        return None
    # A brace further in front would be in the list, which is no list of numbers then.
    brace = data.find(b"}", max(opening, end - _TAIL_BYTES), end)
    closing = data.rfind(b"]", opening, end if brace < 0 else brace)
    return (opening, closing + 1) if closing - opening >= _LONG_BYTES else None


def _without(data: bytes, spans: list[tuple[int, int]]) -> bytes:
    """Return the body with an object in the place of each list; an object, unlike a string, cannot become a key."""
    pieces: list[bytes] = []
    position = 0
    for number, (start, end) in enumerate(spans):
        pieces += [data[position:start], b'{"%s":%d}' % (_TAKEN_OUT.encode(), number)]
        position = end
    return b"".join([*pieces, data[position:]])


def _restored(value: Any, texts: list[NumberText], depth: int) -> Any:
    if depth and isinstance(value, dict):
        known = cast("dict[str, Any]", value)
        if _TAKEN_OUT in known:
            number: int = known[_TAKEN_OUT]
            return texts[number]
        return {key: _restored(item, texts, depth - 1) for key, item in known.items()}
    if depth and isinstance(value, list):
        items = cast("list[Any]", value)
        return [_restored(item, texts, depth - 1) for item in items]
    return value

"""JSON numbers: the text of one long list of numbers to an array, without a Python object for each number.

simdjson reads numbers straight into a buffer, but it drops the brackets on the way. So the brackets and commas are
gathered beside it, with numpy, and held against those of the one rectangle that they can be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import simdjson
from numpy.typing import NDArray

Array = NDArray[Any]

MAX_DIMENSIONS = 64
"""As many as numpy has."""

# Small enough for the processor's cache, and for the parser's memory, which is many times the text's.
_WINDOW_BYTES = 512 * 1024

# Whole numbers beyond this one are not all exact in a float64.
_EXACT_BELOW = 2.0**53

_BUFFERS: dict[str, tuple[str, type[np.generic]]] = {
    "f": ("d", np.float64),
    "i": ("i", np.int64),
    "u": ("u", np.uint64),
}


class NotNumbers(Exception):
    """Say that a text is no rectangle of numbers of the wanted type, or none that can be read the fast way."""


@dataclass(frozen=True, slots=True)
class NumberText:
    """Hold the JSON text of a list that has no strings and no objects in it; it may still be broken."""

    text: memoryview

    def read(self, wanted: np.dtype[Any]) -> Array:
        """Read the text as an array.

        Args:
            wanted: The type of the array. Whole numbers do for every type, others for floating point only.

        Returns:
            What `np.array(json.loads(text)).astype(wanted)` gives, to the bit.

        Raises:
            NotNumbers: Nothing is said of what is wrong; the general way through Python lists knows.
        """
        if wanted.kind not in _BUFFERS:
            raise NotNumbers
        reader = _Reader(wanted)
        parts = [reader.read(window) for window in _windows(self.text)]
        shape = _shape(b"".join(reader.structure))
        values = parts[0] if len(parts) == 1 else np.concatenate(parts)
        if len(values) != math.prod(shape):
            raise NotNumbers
        return values.reshape(shape)


@dataclass(frozen=True, slots=True)
class _Window:
    """Hold a piece of the text, and what makes a JSON list of its own out of it."""

    text: memoryview
    opening: bytes
    closing: bytes
    structure: bytes
    extra_values: int
    """How many values `opening` adds in front."""


class _Reader:
    """Read windows one after the other, with one parser whose memory they share."""

    def __init__(self, wanted: np.dtype[Any]) -> None:
        self.structure: list[bytes] = []
        self._wanted = wanted
        self._letter, self._wide = _BUFFERS[wanted.kind]
        self._parser = simdjson.Parser()

    def read(self, window: _Window) -> Array:
        self.structure.append(window.structure)
        document = b"".join((window.opening, window.text, window.closing))
        values = np.frombuffer(self._buffer(document, self._letter), self._wide)[window.extra_values :]
        with np.errstate(over="ignore"):
            narrowed = values.astype(self._wanted)
        if not _fits(values, narrowed) or (_rounds_twice(values, narrowed) and self._are_whole(document)):
            raise NotNumbers
        return narrowed

    def _are_whole(self, document: bytes) -> bool:
        """Say whether all numbers are written without a fraction and an exponent."""
        try:
            self._buffer(document, "i")
        except NotNumbers:
            return False
        return True

    def _buffer(self, document: bytes, letter: str) -> Any:
        try:
            found: Any = self._parser.parse(document)
            return found.as_buffer(of_type=letter)
        except (ValueError, TypeError, RuntimeError, AttributeError) as error:
            raise NotNumbers from error


def _fits(values: Array, narrowed: Array) -> bool:
    """Say whether the type holds all the values."""
    if narrowed.dtype.kind == "f":
        return bool(np.isfinite(narrowed).all())
    bounds = np.iinfo(narrowed.dtype)
    return not values.size or (bounds.min <= int(values.min()) and int(values.max()) <= bounds.max)


def _rounds_twice(values: Array, narrowed: Array) -> bool:
    """Say whether whole numbers among the values may have been rounded on the way to float64 and once more from it."""
    narrower = narrowed.dtype.kind == "f" and narrowed.dtype != values.dtype
    return narrower and bool(values.size) and max(values.max(), -values.min()) >= _EXACT_BELOW


def _windows(text: memoryview) -> Iterator[_Window]:
    """Cut the text into windows, each of which is balanced with its opening and its closing.

    A cut is made behind an innermost list, or between two numbers where a window has no end of a list. simdjson then
    proves of each window that it leads from the depth of the cut before it to the depth of the next: so the windows
    together are a JSON list as well.
    """
    depth = 0
    opening, extra_values, start = b"", 0, 0
    while start < len(text):
        window = text[start : start + _WINDOW_BYTES]
        places, structure = _structure(window)
        depth = depth or _depth(structure)
        if start + len(window) == len(text):
            yield _Window(window, opening, b"", structure, extra_values)
            return
        cut, resumed, added = _cut(structure, depth)
        # Behind a bracket, but in front of a comma.
        length = int(places[cut - 1]) + 1 if not added else int(places[cut])
        closing = b"]" * resumed.count(b"[") if added else b"]" * (depth - 1)
        yield _Window(window[:length], opening, closing, structure[:cut], extra_values)
        opening, extra_values = resumed, added
        start += length


def _structure(window: memoryview) -> tuple[NDArray[np.intp], bytes]:
    """Return where the brackets and commas of a window are, and themselves."""
    characters = np.frombuffer(window, np.uint8)
    # These two bits are the difference between the brackets; other characters that become the same are not in numbers.
    marks = (characters | 0b110) == (ord("[") | ord("]"))
    marks |= characters == ord(",")
    places = np.flatnonzero(marks)
    return places, characters.take(places).tobytes()


def _depth(structure: bytes) -> int:
    depth = len(structure) - len(structure.lstrip(b"["))
    if not 0 < depth <= MAX_DIMENSIONS:
        raise NotNumbers
    return depth


def _cut(structure: bytes, depth: int) -> tuple[int, bytes, int]:
    """Choose where a window ends.

    Returns:
        The number of brackets and commas in front of the cut, what the next window opens with to be at the same
        depth, and how many values that adds.
    """
    behind_run = structure.rfind(b"]") + 1
    first_of_run = len(structure[:behind_run].rstrip(b"]"))
    if 0 < first_of_run < behind_run:
        return first_of_run + 1, b"[" * (depth - 1) + b"[]", 0
    comma = structure.rfind(b",")
    if comma < 1 or structure[comma - 1 : comma] not in (b",", b"[") or comma + 1 != len(structure):
        raise NotNumbers
    return comma, b"[" * depth + b"0", 1


def _shape(structure: bytes) -> tuple[int, ...]:
    """Return the shape whose brackets and commas, all of them, are these."""
    depth = _depth(structure)
    size = structure.find(b"]") - depth + 1
    sizes = [size]
    block = b"[" + b"," * (size - 1) + b"]"
    for level in range(depth - 2, -1, -1):
        behind_blocks = structure[level + 1 + len(block) :: len(block) + 1]
        size = len(behind_blocks) - len(behind_blocks.lstrip(b",")) + 1
        sizes.insert(0, size)
        block = b"[" + (block + b",") * (size - 1) + block + b"]"
    if block != structure:
        raise NotNumbers
    return tuple(sizes)

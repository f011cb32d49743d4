"""Varints: whole lists of numbers of variable length, read and written at once.

A varint holds seven bits in each byte, the lowest first; the highest bit of a byte says that another one follows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proxy.wire.fields import Malformed

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.uint64]

MAX_BYTES = 10
"""The bytes of the longest varint, that of a number of 64 bits; each negative number takes them all."""


def check_varints(packed: Bytes) -> None:
    """Check that bytes are whole varints.

    Raises:
        Malformed: The last one does not end, or one is longer than ten bytes.
    """
    _ends(packed)


def decode_varints(packed: Bytes) -> Numbers:
    """Read varints that stand one behind the other.

    Args:
        packed: Their bytes.

    Returns:
        The numbers, cut to 64 bits; signed ones are those of the same bits.

    Raises:
        Malformed: The last one does not end, or one is longer than ten bytes.
    """
    ends = _ends(packed)
    if len(ends) == len(packed):
        return packed.astype(np.uint64)
    starts = np.concatenate([[0], ends[:-1] + 1])
    numbers = (packed[starts] & 0x7F).astype(np.uint64)
    longer = np.flatnonzero(ends > starts)
    position = 0
    while len(longer):
        position += 1
        bits = (packed[starts[longer] + position] & 0x7F).astype(np.uint64)
        numbers[longer] |= bits << np.uint64(7 * position)
        longer = longer[ends[longer] > starts[longer] + position]
    return numbers


def varints_size(numbers: Numbers) -> int:
    """Return how many bytes `encode_varints` makes of the same numbers, at a tenth of its time."""
    steps = range(7, int(numbers.max()).bit_length(), 7)
    return len(numbers) + sum(int(np.count_nonzero(numbers >= np.uint64(1 << bits))) for bits in steps)


def encode_varints(numbers: Numbers) -> bytes:
    """Write numbers as varints one behind the other.

    Args:
        numbers: At least one; signed ones as unsigned ones of the same 64 bits.
    """
    width = max(1, -(-int(numbers.max()).bit_length() // 7))
    # [numbers, width]: what is left of each number at each byte; a number ends where nothing is left.
    rest = numbers[:, None] >> np.arange(0, 7 * width, 7, dtype=np.uint64)
    used = rest != 0
    used[:, 0] = True
    packed = (rest & np.uint64(0x7F)).astype(np.uint8)
    packed[:, :-1] |= used[:, 1:].view(np.uint8) << np.uint8(7)
    return packed[used].tobytes()


def write_varint(number: int) -> bytes:
    """Write one number, which must not be negative."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


def _ends(packed: Bytes) -> NDArray[np.intp]:
    """Return where the last byte of each varint is."""
    if len(packed) and packed[-1] > 0x7F:
        raise Malformed("a list of numbers that ends within one")
    ends = np.flatnonzero(packed < 0x80)
    if len(ends) < len(packed) and int(np.diff(ends, prepend=-1).max()) > MAX_BYTES:
        raise Malformed(f"a number of more than {MAX_BYTES} bytes in a list")
    return ends

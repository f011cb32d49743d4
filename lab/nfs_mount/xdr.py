"""XDR (RFC 4506): the binary form of every NFS request and answer, big-endian and in steps of four bytes."""

import struct
from collections.abc import Iterable


def uint(*values: int) -> bytes:
    """Encode unsigned 32-bit numbers."""
    return struct.pack(f">{len(values)}I", *values)


def uhyper(*values: int) -> bytes:
    """Encode unsigned 64-bit numbers."""
    return struct.pack(f">{len(values)}Q", *values)


def opaque(content: bytes) -> bytes:
    """Encode bytes of variable length: their number, themselves, zeros up to a multiple of four."""
    return uint(len(content)) + content + bytes(-len(content) % 4)


def bitmap(numbers: Iterable[int]) -> bytes:
    """Encode a set of numbers below 64 as an NFS bitmap of two words."""
    mask = sum(1 << number for number in numbers)
    return uint(2, mask & 0xFFFFFFFF, mask >> 32)


class Reader:
    """Take an answer apart, from front to back.

    Args:
        content: The bytes of the answer.
        at: Where to begin.
    """

    def __init__(self, content: bytearray, at: int = 0) -> None:
        self.content, self.at = content, at

    def uint(self) -> int:
        """Take an unsigned 32-bit number."""
        self.at += 4
        return int(struct.unpack_from(">I", self.content, self.at - 4)[0])

    def uhyper(self) -> int:
        """Take an unsigned 64-bit number."""
        self.at += 8
        return int(struct.unpack_from(">Q", self.content, self.at - 8)[0])

    def fixed(self, length: int) -> bytes:
        """Take bytes of a known length."""
        self.at += length
        return bytes(self.content[self.at - length : self.at])

    def span(self) -> tuple[int, int]:
        """Step over bytes of variable length; return where they begin and how many they are, without a copy."""
        length = self.uint()
        start = self.at
        self.at += length + (-length % 4)
        return start, length

    def opaque(self) -> bytes:
        """Take bytes of variable length."""
        start, length = self.span()
        return bytes(self.content[start : start + length])

    def bitmap(self) -> set[int]:
        """Take a set of numbers."""
        mask = sum(self.uint() << (32 * word) for word in range(self.uint()))
        return {number for number in range(mask.bit_length()) if mask >> number & 1}

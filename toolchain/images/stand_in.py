"""Stand-ins: libraries with the name and the functions of another one, and nothing behind them."""

import struct
from collections.abc import Iterable

from toolchain.images import elf

_STACK = 0x6474E551
_READ, _WRITE, _EXECUTE = 4, 2, 1
_STRINGS_SIZE, _SYMBOL_SIZE = 10, 11
_GLOBAL_FUNCTION = 0x12
_PAGE = 0x10000
# An instruction that ends the process: ud2 on x86-64, udf on AArch64.
_TRAPS = {62: b"\x0f\x0b\x0f\x0b", 183: b"\x00\x00\x00\x00"}


def make(data: bytes, functions: Iterable[str]) -> bytes:
    """Return a library with the name of another one and some of its functions, each of which ends the process.

    It satisfies the dynamic linker where a program needs a library for functions that it never calls.

    Args:
        data: The library that it stands in for.
        functions: The names that others ask of it.
    """
    library, machine = elf.read_library(data), elf.HEADER.unpack_from(data)[2]
    names = sorted(functions)
    strings = _Strings()
    offsets = [strings.add(name) for name in names]
    own_name = strings.add(library.name)
    table = elf.HEADER.size + 4 * elf.PROGRAM.size
    hashes = _hash_table(names)
    symbols_at = table + len(hashes)
    strings_at = symbols_at + elf.SYMBOL.size * (1 + len(names))
    code_at = _aligned(strings_at + len(strings.data), 16)
    symbols = elf.SYMBOL.pack(0, 0, 0, 0, 0, 0)
    symbols += b"".join(elf.SYMBOL.pack(offset, _GLOBAL_FUNCTION, 0, 1, code_at, 4) for offset in offsets)
    text = (hashes + symbols + strings.data).ljust(code_at - table, b"\0") + _TRAPS[machine]
    dynamic_at = _aligned(table + len(text), 16)
    dynamic = b"".join(
        elf.PAIR.pack(*pair)
        for pair in (
            (elf.SONAME, own_name),
            (elf.HASH, table),
            (elf.STRINGS, strings_at),
            (elf.SYMBOLS, symbols_at),
            (_STRINGS_SIZE, len(strings.data)),
            (_SYMBOL_SIZE, elf.SYMBOL.size),
            (0, 0),
        )
    )
    return _file(machine, text.ljust(dynamic_at - table, b"\0"), dynamic)


def _file(machine: int, text: bytes, dynamic: bytes) -> bytes:
    """Put a library together: its headers and its text, read-only, then what the dynamic linker writes into."""
    text_size = elf.HEADER.size + 4 * elf.PROGRAM.size + len(text)
    written_at, written = text_size + _PAGE, len(dynamic)
    header = elf.HEADER.pack(
        elf.MAGIC.ljust(16, b"\0"),
        3,
        machine,
        1,
        0,
        elf.HEADER.size,
        0,
        0,
        elf.HEADER.size,
        elf.PROGRAM.size,
        4,
        64,
        0,
        0,
    )
    programs = (
        (elf.LOADED, _READ | _EXECUTE, 0, 0, 0, text_size, text_size, _PAGE),
        (elf.LOADED, _READ | _WRITE, text_size, written_at, written_at, written, written, _PAGE),
        (elf.DYNAMIC, _READ | _WRITE, text_size, written_at, written_at, written, written, 8),
        (_STACK, _READ | _WRITE, 0, 0, 0, 0, 0, 16),
    )
    return header + b"".join(elf.PROGRAM.pack(*program) for program in programs) + text + dynamic


class _Strings:
    """Collect the names of a string table."""

    def __init__(self) -> None:
        self.data = b"\0"

    def add(self, text: str) -> int:
        """Add a name and return where it begins."""
        offset = len(self.data)
        self.data += text.encode() + b"\0"
        return offset


def _hash_table(names: list[str]) -> bytes:
    """Return the table that finds a symbol by its name; symbol 0 is none (System V ABI, chapter 5)."""
    buckets, chain = [0] * max(1, len(names)), [0] * (1 + len(names))
    for number, name in enumerate(names, 1):
        bucket = _hash(name) % len(buckets)
        chain[number], buckets[bucket] = buckets[bucket], number
    table = struct.pack(f"<{2 + len(buckets) + len(chain)}I", len(buckets), len(chain), *buckets, *chain)
    return table.ljust(_aligned(len(table), 8), b"\0")


def _hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value << 4) + byte
        high = value & 0xF000_0000
        value = (value ^ high >> 24) & ~high
    return value


def _aligned(size: int, to: int) -> int:
    return -(-size // to) * to

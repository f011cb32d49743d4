"""Shared libraries (ELF, System V ABI and its supplements): read what they need, and cut what is never loaded.

Only what the dynamic linker reads is looked at, the program headers and what the dynamic segment names, so this works
for every architecture of the images on every machine; 64-bit little-endian files alone.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
PROGRAM = struct.Struct("<IIQQQQQQ")
SYMBOL = struct.Struct("<IBBHQQ")
PAIR = struct.Struct("<QQ")
"""Of the dynamic segment: a tag and its value."""
MAGIC = b"\x7fELF\x02\x01\x01"
LOADED, DYNAMIC = 1, 2
HASH, STRINGS, SYMBOLS, SONAME = 4, 5, 6, 14

_SECTION = struct.Struct("<IIQQQQIIQQ")
_NEEDED, _GNU_HASH, _VERSIONS_DEFINED = 1, 0x6FFFFEF5, 0x6FFFFFFC
_ALLOCATED, _NO_BITS = 2, 8


@dataclass(frozen=True, kw_only=True)
class Library:
    """Hold what the dynamic linker knows of a library."""

    name: str
    """Its own name, which others need it by; empty without one."""
    needed: tuple[str, ...]
    defined: frozenset[str]
    undefined: frozenset[str]
    versioned: bool
    """Whether its symbols have versions."""


def is_library(data: bytes) -> bool:
    """Say whether this is a file of the kind that is understood here."""
    return data.startswith(MAGIC) and len(data) > HEADER.size


def read_library(data: bytes) -> Library:
    """Read names and symbols of a shared library."""
    dynamic = list(_dynamic(data))
    tags = dict(dynamic)
    if STRINGS not in tags or SYMBOLS not in tags:
        return Library(name="", needed=(), defined=frozenset(), undefined=frozenset(), versioned=False)
    strings = _offset(data, tags[STRINGS])

    def text(position: int) -> str:
        start = strings + position
        return data[start : data.index(b"\0", start)].decode()

    symbols = list(_symbols(data, tags))
    return Library(
        name=text(tags[SONAME]) if SONAME in tags else "",
        needed=tuple(text(value) for tag, value in dynamic if tag == _NEEDED),
        defined=frozenset(text(name) for name, section in symbols if section),
        undefined=frozenset(text(name) for name, section in symbols if not section),
        versioned=_VERSIONS_DEFINED in tags,
    )


def without_symbols_for_debuggers(data: bytes) -> bytes:
    """Return a library without what lies behind the part that is loaded: sections, symbols and lines for debuggers.

    `strip` rewrites a file, and breaks some whose sections were moved when the wheel was made; this only cuts its end.
    A file in which something behind the end would be loaded is returned as it is.
    """
    header = list(HEADER.unpack_from(data))
    end = max(offset + size for _, _, offset, _, _, size, *_ in _programs(data))
    for kind, flags, offset, size in _sections(data):
        if flags & _ALLOCATED and kind != _NO_BITS and offset + size > end:
            return data
    header[6] = header[12] = header[13] = 0  # Offset and number of the sections, and which one has their names.
    return HEADER.pack(*header) + data[HEADER.size : end]


def _programs(data: bytes) -> Iterator[tuple[int, ...]]:
    header = HEADER.unpack_from(data)
    for number in range(header[10]):
        yield PROGRAM.unpack_from(data, header[5] + number * header[9])


def _sections(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield kind, flags, offset and size of each section."""
    header = HEADER.unpack_from(data)
    for number in range(header[12]):
        _, kind, flags, _, offset, size, *_ = _SECTION.unpack_from(data, header[6] + number * header[11])
        yield kind, flags, offset, size


def _dynamic(data: bytes) -> Iterator[tuple[int, int]]:
    for kind, _, offset, _, _, size, *_ in _programs(data):
        if kind == DYNAMIC:
            for tag, value in PAIR.iter_unpack(data[offset : offset + size]):
                if tag == 0:
                    return
                yield tag, value


def _offset(data: bytes, address: int) -> int:
    """Return where in the file an address of the loaded library lies."""
    for kind, _, offset, start, _, size, *_ in _programs(data):
        if kind == LOADED and start <= address < start + size:
            return address - start + offset
    raise ValueError(f"the address {address:#x} is in no loaded part of the library")


def _symbols(data: bytes, tags: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Yield name and section of each dynamic symbol; a section of 0 is that of one that others must define."""
    table = _offset(data, tags[SYMBOLS])
    for number in range(1, _symbol_count(data, tags)):
        name, _, _, section, _, _ = SYMBOL.unpack_from(data, table + number * SYMBOL.size)
        yield name, section


def _symbol_count(data: bytes, tags: dict[int, int]) -> int:
    if HASH in tags:
        return struct.unpack_from("<II", data, _offset(data, tags[HASH]))[1]
    # The GNU table only has the defined ones, which come last; its chains end with an odd value.
    start = _offset(data, tags[_GNU_HASH])
    bucket_count, first, bloom_count, _ = struct.unpack_from("<IIII", data, start)
    buckets_at = start + 16 + 8 * bloom_count
    last = max(struct.unpack_from(f"<{bucket_count}I", data, buckets_at), default=0)
    if last < first:
        return first
    chains_at = buckets_at + 4 * bucket_count
    while not struct.unpack_from("<I", data, chains_at + 4 * (last - first))[0] & 1:
        last += 1
    return last + 1

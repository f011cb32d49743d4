"""The bodies of HTTP requests: with a length, in chunks, packed with gzip; never more than 1 GiB."""

from __future__ import annotations

import zlib
from io import BufferedIOBase

from modelserver.errors import InvalidArgument

MAX_BODY_BYTES = 2**30
MAX_LINE_BYTES = 1024
TOO_LARGE = "The body is larger than 1 GiB"


def read_exactly(stream: BufferedIOBase, length: int) -> bytes:
    """Read `length` bytes.

    Raises:
        InvalidArgument: the stream ends before.
    """
    data = stream.read(length)
    if len(data) < length:
        raise InvalidArgument(f"The body ended after {len(data)} of {length} bytes")
    return data


def read_chunks(stream: BufferedIOBase) -> bytes:
    """Read a body in the chunked coding of HTTP/1.1 (RFC 9112, section 7.1).

    Raises:
        InvalidArgument: it is not of that coding, too large, or ends before its end.
    """
    parts: list[bytes] = []
    total = 0
    while size := _chunk_size(stream):
        total += size
        if total > MAX_BODY_BYTES:
            raise InvalidArgument(TOO_LARGE)
        parts.append(read_exactly(stream, size))
        read_exactly(stream, 2)
    while stream.readline(MAX_LINE_BYTES).strip():
        # Trailers say nothing that this server wants to know.
        pass
    return b"".join(parts)


def _chunk_size(stream: BufferedIOBase) -> int:
    line = stream.readline(MAX_LINE_BYTES).split(b";")[0].strip()
    try:
        return int(line.decode("ascii"), 16)
    except ValueError as error:
        raise InvalidArgument("The body is not in chunks, as its Transfer-Encoding says") from error


def unpacked(data: bytes) -> bytes:
    """Unpack gzip.

    Raises:
        InvalidArgument: it is no gzip, or too large when unpacked.
    """
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        found = unpacker.decompress(data, MAX_BODY_BYTES)
    except zlib.error as error:
        raise InvalidArgument(f"The body is not gzip: {error}") from error
    if unpacker.unconsumed_tail:
        raise InvalidArgument(TOO_LARGE)
    return found

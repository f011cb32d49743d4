"""Compressed bodies: unpacked within the limit that holds for bodies as they are."""

from __future__ import annotations

import zlib

from proxy.errors import BodyTooLarge, InvalidCompression, UnsupportedContent

_GZIP, _ZLIB = 31, 15
_WINDOWS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}


def check_encoding(encoding: str | None) -> None:
    """Refuse an encoding that the proxy cannot unpack, before the body is read.

    Raises:
        UnsupportedContent: See above.
    """
    if _name(encoding) not in (*_WINDOWS, "identity"):
        raise UnsupportedContent(
            where="header Content-Encoding",
            found=repr(_name(encoding)[:80]),
            reason="The proxy unpacks gzip and deflate",
            remedy="Send the body in one of these, or uncompressed",
        )


def unpack(data: bytes, encoding: str | None, max_bytes: int) -> bytes:
    """Return a body as it was before it was compressed.

    Args:
        data: What came.
        encoding: The header Content-Encoding, or None.
        max_bytes: The most that may come out; a few bytes can hold any number of zeros.

    Raises:
        InvalidCompression: It is damaged, cut off, or followed by something else.
        BodyTooLarge: More than `max_bytes` would come out.
    """
    window = _WINDOWS.get(_name(encoding))
    if window is None:
        return data
    unpacking = zlib.decompressobj(window)
    try:
        body = unpacking.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise _damaged(encoding, str(error)) from error
    if len(body) > max_bytes:
        raise BodyTooLarge(
            where="request body",
            found=f"{len(data)} bytes that unpack to more than {max_bytes}",
            reason="The limit holds for what is unpacked as well (limits > max-body-mib)",
            remedy="Send a smaller picture or fewer examples at once",
        )
    if not unpacking.eof or unpacking.unused_data:
        raise _damaged(encoding, "bytes after its end" if unpacking.eof else "it is cut off")
    return body


def _name(encoding: str | None) -> str:
    return "identity" if encoding is None else encoding.strip().lower()


def _damaged(encoding: str | None, found: str) -> InvalidCompression:
    return InvalidCompression(
        where=f"request body > {_name(encoding)}",
        found=found,
        reason="What was packed cannot be read",
        remedy="Check that the whole body was sent, and that Content-Encoding names what it was packed with",
    )

"""Limits: how much of a body is read, and how many requests are answered at once."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager

from proxy.config import MEBIBYTE
from proxy.deadline import Deadline
from proxy.errors import BodyTooLarge, Busy


class PixelBudget:
    """Bound the pixels that are decoded at once, and so the memory that pictures take, over all threads."""

    def __init__(self, pixels: int) -> None:
        self._free = pixels
        self._change = threading.Condition()

    @contextmanager
    def hold(self, pixels: int, deadline: Deadline) -> Generator[None]:
        """Wait for a share of the budget, and hold it; `pixels` must not be more than the whole budget.

        Raises:
            DeadlineExceeded: No share came free in time.
        """
        with self._change:
            if not self._change.wait_for(lambda: self._free >= pixels, deadline.remaining):
                raise deadline.exceeded("picture waiting to be decoded")
            self._free -= pixels
        try:
            yield
        finally:
            with self._change:
                self._free += pixels
                self._change.notify_all()


class InFlight:
    """Count the requests being answered, and refuse those over the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.count = 0

    @contextmanager
    def slot(self) -> Generator[None]:
        """Hold one of the places while a request is answered.

        Raises:
            Busy: All places are taken.
        """
        if self.count >= self._limit:
            raise Busy(
                where="endpoint proxy",
                found=f"{self.count} requests in flight already",
                reason="More at once would make each of them slower (limits > max-in-flight)",
                remedy="Try again in a second",
            )
        self.count += 1
        try:
            yield
        finally:
            self.count -= 1


async def read_body(chunks: AsyncIterator[bytes], announced: str | None, max_bytes: int) -> bytes:
    """Read a body, counting its bytes as they come; what its header announces may be wrong.

    Args:
        chunks: The body's pieces.
        announced: The header Content-Length, if there is one.
        max_bytes: The largest body taken.

    Raises:
        BodyTooLarge: It is announced to be, or turns out to be, larger than `max_bytes`.
    """
    if announced is not None and announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(f"{int(announced)} bytes announced", max_bytes)
    pieces: list[bytes] = []
    size = 0
    async for piece in chunks:
        size += len(piece)
        if size > max_bytes:
            raise _too_large(f"more than {max_bytes} bytes", max_bytes)
        pieces.append(piece)
    return b"".join(pieces)


def _too_large(found: str, max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(
        where="request body",
        found=found,
        reason=f"The limit is {max_bytes / MEBIBYTE:g} MiB (limits > max-body-mib)",
        remedy="Send a smaller picture or fewer examples at once; JPEG takes far fewer bytes than JSON numbers",
    )

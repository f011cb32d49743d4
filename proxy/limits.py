"""Limits: how much of a body is read, and how many requests are answered at once."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

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
    """Count the requests being answered; some more may wait for a place, and those over both limits are refused.

    Attributes:
        count: The requests that have a place.
    """

    def __init__(self, limit: int, max_waiting: int) -> None:
        self._limit = limit
        self._max_waiting = max_waiting
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.count = 0

    @property
    def waiting(self) -> int:
        """Return the requests that wait for a place."""
        return len(self._waiting)

    @asynccontextmanager
    async def place(self, deadline: Deadline) -> AsyncGenerator[None]:
        """Wait for a place, first come first served, and hold it while a request is answered.

        Raises:
            Busy: All places are taken, and so is the queue.
            DeadlineExceeded: No place came free in time.
        """
        await self._take(deadline)
        try:
            yield
        finally:
            self._give_back()

    async def _take(self, deadline: Deadline) -> None:
        if self.count < self._limit:
            self.count += 1
            return
        if len(self._waiting) >= self._max_waiting:
            raise self._busy()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(deadline.remaining):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._give_back()
            elif turn in self._waiting:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise deadline.exceeded("queue of the endpoint proxy") from error
            raise

    def _give_back(self) -> None:
        """Hand a place to the one that waits longest, or set it free."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.count -= 1

    def _busy(self) -> Busy:
        return Busy(
            where="endpoint proxy",
            found=f"{self.count} requests in flight and {self.waiting} waiting already",
            reason="More at once would make each of them slower (limits > max-in-flight, max-waiting)",
            remedy="Try again in a second",
        )


class Streams:
    """Count the streams that are open, each of which keeps a model busy for long, and refuse those over the limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.count = 0

    @contextmanager
    def open(self) -> Generator[OpenStream]:
        """Hold a stream open inside, and longer if it says so.

        Raises:
            Busy: As many are open as may be.
        """
        if self.count >= self._limit:
            raise Busy(
                where="endpoint proxy",
                found=f"{self.count} videos and streams of live frames are open already",
                reason="Each of them keeps a model busy (limits > max-streams)",
                remedy="Try again when another one has ended",
            )
        self.count += 1
        stream = OpenStream()
        try:
            yield stream
        finally:
            if stream.end is None:
                self._close()
            else:
                stream.end.add_done_callback(lambda _: self._close())

    def _close(self) -> None:
        self.count -= 1


@dataclass(slots=True)
class OpenStream:
    """Hold how long a stream counts as open."""

    end: asyncio.Future[None] | None = None

    def keep_until(self, end: asyncio.Future[None]) -> None:
        """Count until something has happened."""
        self.end = end


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

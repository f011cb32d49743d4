"""Bodies: read within the limits of size and time, and the work on them within the time that is left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import Request

from proxy.errors import BodyTooSlow
from proxy.inputs.compression import unpack
from proxy.limits import read_body
from proxy.tasks.content import Content
from proxy.telemetry.exchange import Exchange

T = TypeVar("T")


async def receive_body(request: Request, content: Content, max_bytes: int, exchange: Exchange) -> bytes:
    """Read a body, unpacked if it came compressed.

    Raises:
        BodyTooLarge: It has more than `max_bytes`, as it came or unpacked.
        BodyTooSlow: It did not come before the deadline.
        InvalidCompression: It cannot be unpacked.
    """
    try:
        async with asyncio.timeout(exchange.deadline.remaining):
            body = await read_body(request.stream(), request.headers.get("content-length"), max_bytes)
    except TimeoutError as error:
        late = exchange.deadline.exceeded("request body")
        raise BodyTooSlow(late.where, late.found, late.reason, late.remedy) from error
    exchange.client_bytes("from-client", len(body))
    return unpack(body, content.encoding, max_bytes)


async def in_time(work: Awaitable[T], exchange: Exchange) -> T:
    """Do some work before the deadline.

    Raises:
        DeadlineExceeded: It was not done in time, and is cancelled.
    """
    try:
        async with asyncio.timeout(exchange.deadline.remaining):
            return await work
    except TimeoutError as error:
        raise exchange.deadline.exceeded(f"request for {exchange.model!r}") from error

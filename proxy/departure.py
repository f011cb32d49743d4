"""Departure: stop the work for a sender that has closed its connection."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from starlette.requests import Request

from proxy.errors import ClientLeft

T = TypeVar("T")


async def unless_client_leaves(request: Request, work: Coroutine[Any, Any, T]) -> T:
    """Do the work, cancelling it (and so the call to the model server) when the sender leaves first.

    Args:
        request: Its body must have been read.
        work: What to do.

    Raises:
        ClientLeft: The sender left.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_departure(request))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise client_left()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


def client_left() -> ClientLeft:
    """Say that the sender has left; only the log shows it."""
    return ClientLeft("request", "the sender closed the connection", "Nobody reads the answer", "Nothing is to be done")


async def _departure(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

"""Series: many pictures of one request, several of them under way at once, answered in their order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from proxy.errors import ProxyError
from proxy.limits import InFlight
from proxy.outputs.result import Result
from proxy.pipeline import Pipeline, Wish
from proxy.tasks.task import Task
from proxy.telemetry.exchange import Exchange

AT_ONCE = 2
"""While the model looks at one picture, the next is decoded; more would only take other requests' turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Hold one picture of a series."""

    note: dict[str, Any]
    """What its answer begins with, such as the number of the frame."""
    task: Task
    place: str = ""
    """Where the picture is in its request, for messages."""


async def ask_in_order(
    pipeline: Pipeline, items: AsyncGenerator[Item], wish: Wish, exchange: Exchange, in_flight: InFlight
) -> AsyncGenerator[tuple[Item, Result]]:
    """Ask about each picture and yield what was found, in order.

    Raises:
        ProxyError: The first that a picture causes; what is under way is then cancelled.
    """

    async def ask(item: Item) -> Result:
        async with in_flight.place(exchange.deadline):
            return await pipeline.ask(item.task, wish, exchange)

    under_way: deque[tuple[Item, asyncio.Task[Result]]] = deque()
    try:
        async with aclosing(items):
            async for item in items:
                under_way.append((item, asyncio.ensure_future(ask(item))))
                if len(under_way) >= AT_ONCE:
                    yield await _first(under_way)
        while under_way:
            yield await _first(under_way)
    finally:
        for _, asking in under_way:
            asking.cancel()
        await asyncio.gather(*(asking for _, asking in under_way), return_exceptions=True)


async def _first(under_way: deque[tuple[Item, asyncio.Task[Result]]]) -> tuple[Item, Result]:
    item, asking = under_way[0]
    try:
        result = await asking
    except ProxyError as error:
        if item.place:
            error.where = f"{item.place} > {error.where}"
        raise
    under_way.popleft()
    return item, result

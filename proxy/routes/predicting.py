"""Predicting: a body in, what the model says of it out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import partial

from starlette.requests import Request

from proxy.backend.call import Selector
from proxy.config import ProxyConfig
from proxy.departure import unless_client_leaves
from proxy.errors import BodyTooSlow
from proxy.inputs.compression import unpack
from proxy.limits import InFlight, read_body
from proxy.models import Models
from proxy.outputs.answer import Answer
from proxy.outputs.media import choose_media
from proxy.pipeline import Pipeline, Wish
from proxy.tasks.content import choose_task
from proxy.tasks.options import read_options
from proxy.telemetry.exchange import Exchange


class Predicting:
    """Answer the requests that ask a model about a body."""

    def __init__(self, config: ProxyConfig, models: Models, in_flight: InFlight) -> None:
        self._config = config
        self._models = models
        self._in_flight = in_flight

    async def predict(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `POST /v1/models/{model}:predict`, of the latest version, one by number, or one by label."""
        pipeline = self._pipeline(request, exchange)
        task = choose_task(request.headers)
        wish = Wish(
            selector=selector_of(request),
            options=read_options(request.query_params.multi_items()),
            media=choose_media(request.headers.get("accept")),
        )
        async with self._in_flight.place(exchange.deadline):
            body = await self._body(request, exchange)
            work = self._in_time(pipeline.predict(partial(task, body), wish, exchange), exchange)
            return await unless_client_leaves(request, work)

    def _pipeline(self, request: Request, exchange: Exchange) -> Pipeline:
        pipeline = self._models.find(request.path_params["model"])
        exchange.model = pipeline.model
        return pipeline

    async def _body(self, request: Request, exchange: Exchange) -> bytes:
        """Read the body within the limits of size and time."""
        limit = self._config.limits.max_body_bytes
        try:
            async with asyncio.timeout(exchange.deadline.remaining):
                body = await read_body(request.stream(), request.headers.get("content-length"), limit)
        except TimeoutError as error:
            late = exchange.deadline.exceeded("request body")
            raise BodyTooSlow(late.where, late.found, late.reason, late.remedy) from error
        exchange.client_bytes("from-client", len(body))
        return unpack(body, request.headers.get("content-encoding"), limit)

    async def _in_time(self, work: Awaitable[Answer], exchange: Exchange) -> Answer:
        try:
            async with asyncio.timeout(exchange.deadline.remaining):
                return await work
        except TimeoutError as error:
            raise exchange.deadline.exceeded(f"request for {exchange.model!r}") from error


def selector_of(request: Request) -> Selector:
    """Return which version the path names."""
    return Selector(version=request.path_params.get("version"), label=request.path_params.get("label"))

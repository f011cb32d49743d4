"""Predicting: a body in, what the model says of it out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from functools import partial
from typing import TypeVar

from starlette.requests import Request

from proxy.config import Limits, ProxyConfig
from proxy.departure import unless_client_leaves
from proxy.errors import BodyTooSlow
from proxy.inputs.compression import unpack
from proxy.inputs.upload import read_uploads
from proxy.limits import InFlight, read_body
from proxy.models import Models
from proxy.outputs.answer import Answer
from proxy.outputs.media import choose_media
from proxy.pipeline import Pipeline, Wish
from proxy.routes.addressed import find_model, selector_of
from proxy.routes.answering import StreamedAnswer
from proxy.routes.series import SeriesAnswers
from proxy.series import Item
from proxy.tasks.content import Content, read_content
from proxy.tasks.examples import CLASSIFY_VERB, REGRESS_VERB, ExamplesVerb
from proxy.tasks.npy import MAGIC, prepare_npy_files
from proxy.tasks.options import read_options
from proxy.tasks.picture import prepare_picture_task
from proxy.telemetry.exchange import Exchange

T = TypeVar("T")


class Predicting:
    """Answer the requests that ask a model about a body."""

    def __init__(self, config: ProxyConfig, models: Models, in_flight: InFlight) -> None:
        self._config = config
        self._models = models
        self._in_flight = in_flight

    async def predict(self, request: Request, exchange: Exchange) -> Answer | StreamedAnswer:
        """Answer `POST /v1/models/{model}:predict`, of the latest version, one by number, or one by label."""
        pipeline = find_model(self._models, request, exchange)
        content = read_content(request.headers)
        wish = _wish(request)
        async with self._in_flight.place(exchange.deadline):
            body = await self._body(request, content, exchange)
            work = self._in_time(_answer(pipeline, content, body, wish, self._config.limits, exchange), exchange)
            return await unless_client_leaves(request, work)

    async def classify(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `POST /v1/models/{model}:classify`."""
        return await self._examples(CLASSIFY_VERB, request, exchange)

    async def regress(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `POST /v1/models/{model}:regress`."""
        return await self._examples(REGRESS_VERB, request, exchange)

    async def _examples(self, verb: ExamplesVerb, request: Request, exchange: Exchange) -> Answer:
        pipeline = find_model(self._models, request, exchange)
        content = read_content(request.headers)
        content.check_json()
        wish = _wish(request)
        wish.check_json()
        async with self._in_flight.place(exchange.deadline):
            body = await self._body(request, content, exchange)
            work = self._in_time(pipeline.examples(verb, body, wish, exchange), exchange)
            return await unless_client_leaves(request, work)

    async def _body(self, request: Request, content: Content, exchange: Exchange) -> bytes:
        """Read the body within the limits of size and time."""
        limit = self._config.limits.max_body_bytes
        try:
            async with asyncio.timeout(exchange.deadline.remaining):
                body = await read_body(request.stream(), request.headers.get("content-length"), limit)
        except TimeoutError as error:
            late = exchange.deadline.exceeded("request body")
            raise BodyTooSlow(late.where, late.found, late.reason, late.remedy) from error
        exchange.client_bytes("from-client", len(body))
        return unpack(body, content.encoding, limit)

    async def _in_time(self, work: Awaitable[T], exchange: Exchange) -> T:
        try:
            async with asyncio.timeout(exchange.deadline.remaining):
                return await work
        except TimeoutError as error:
            raise exchange.deadline.exceeded(f"request for {exchange.model!r}") from error


async def _answer(
    pipeline: Pipeline, content: Content, body: bytes, wish: Wish, limits: Limits, exchange: Exchange
) -> Answer | StreamedAnswer:
    """Answer a body as a whole, or each picture of a form."""
    if content.boundary is None:
        tasks: list[Item] = [Item(note={}, task=partial(content.task(), body))]
    else:
        tasks = await asyncio.to_thread(_items, body, content.boundary, limits.max_parts, exchange)
    if len(tasks) == 1 and not wish.media.streams:
        return await pipeline.predict(tasks[0].task, wish, exchange)
    return await SeriesAnswers(pipeline, wish, exchange).answer("pictures", _each(tasks))


def _items(body: bytes, boundary: bytes, max_parts: int, exchange: Exchange) -> list[Item]:
    """Read the pictures of a form, or the tensors that are one request together."""
    with exchange.stages.time("decode"):
        uploads = read_uploads(body, boundary, max_parts)
    if all(upload.data.startswith(MAGIC) for upload in uploads):
        files = {upload.name: upload.data for upload in uploads}
        return [Item(note={}, task=partial(prepare_npy_files, files))]
    several = len(uploads) > 1
    return [
        Item(
            note={"part": upload.name, "file": upload.file_name},
            task=partial(prepare_picture_task, upload.data),
            place=f"part {number}" if several else "",
        )
        for number, upload in enumerate(uploads, 1)
    ]


async def _each(items: list[Item]) -> AsyncIterator[Item]:
    for item in items:
        yield item


def _wish(request: Request) -> Wish:
    """Read what is asked for beside the body."""
    return Wish(
        selector=selector_of(request),
        options=read_options(request.query_params.multi_items()),
        media=choose_media(request.headers.get("accept")),
    )

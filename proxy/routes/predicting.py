"""Predicting: a body in, what the model says of it out."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request

from proxy.config import Limits
from proxy.departure import unless_client_leaves
from proxy.errors import UnsupportedContent
from proxy.inputs.address import PictureFetcher, read_address
from proxy.limits import InFlight
from proxy.models import Models
from proxy.outputs.answer import Answer
from proxy.pipeline import Pipeline, Wish
from proxy.routes.addressed import find_model
from proxy.routes.answering import StreamedAnswer
from proxy.routes.bodies import in_time, receive_body
from proxy.routes.picture_series import PictureSeries
from proxy.routes.wishes import read_wish
from proxy.tasks.content import Content, read_content
from proxy.tasks.examples import CLASSIFY_VERB, REGRESS_VERB, ExamplesVerb
from proxy.tasks.picture import prepare_picture_task
from proxy.telemetry.exchange import Exchange


class Predicting:
    """Answer the requests that ask a model about a body."""

    def __init__(
        self,
        *,
        limits: Limits,
        models: Models,
        in_flight: InFlight,
        series: PictureSeries,
        fetcher: PictureFetcher | None,
    ) -> None:
        self._limits = limits
        self._fetcher = fetcher
        self._models = models
        self._in_flight = in_flight
        self._series = series

    async def predict(self, request: Request, exchange: Exchange) -> Answer | StreamedAnswer:
        """Answer `POST /v1/models/{model}:predict`, of the latest version, one by number, or one by label."""
        pipeline = find_model(self._models, request, exchange)
        content = read_content(request.headers)
        wish = read_wish(request)
        if content.is_series or wish.media.streams:
            return await self._series.answer(request, pipeline, content, wish, exchange)
        async with self._in_flight.place(exchange.deadline):
            body = await receive_body(request, content, self._limits.max_body_bytes, exchange)
            work = self._predict(pipeline, content, body, wish, exchange)
            return await unless_client_leaves(request, in_time(work, exchange))

    async def classify(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `POST /v1/models/{model}:classify`."""
        return await self._examples(CLASSIFY_VERB, request, exchange)

    async def regress(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `POST /v1/models/{model}:regress`."""
        return await self._examples(REGRESS_VERB, request, exchange)

    async def _predict(
        self, pipeline: Pipeline, content: Content, body: bytes, wish: Wish, exchange: Exchange
    ) -> Answer:
        if content.is_address:
            picture = await self._fetched(body, exchange)
            return await pipeline.predict(partial(prepare_picture_task, picture), wish, exchange)
        return await pipeline.predict(partial(content.task(), body), wish, exchange)

    async def _fetched(self, body: bytes, exchange: Exchange) -> bytes:
        """Fetch the picture whose address a body is."""
        if self._fetcher is None:
            raise UnsupportedContent(
                where="header Content-Type",
                found="the address of a picture",
                reason="This endpoint fetches no pictures (addresses > allowed-hosts)",
                remedy="Send the picture itself, or ask the operator to allow its host",
            )
        with exchange.stages.time("fetch"):
            return await self._fetcher.fetch(read_address(body), exchange.deadline)

    async def _examples(self, verb: ExamplesVerb, request: Request, exchange: Exchange) -> Answer:
        pipeline = find_model(self._models, request, exchange)
        content = read_content(request.headers)
        content.check_json()
        wish = read_wish(request)
        wish.check_json()
        async with self._in_flight.place(exchange.deadline):
            body = await receive_body(request, content, self._limits.max_body_bytes, exchange)
            work = pipeline.examples(verb, body, wish, exchange)
            return await unless_client_leaves(request, in_time(work, exchange))

"""Answers to a series of pictures: one JSON document of all, or a piece for each as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from proxy.limits import InFlight
from proxy.outputs.answer import Answer
from proxy.outputs.answers import write_json
from proxy.outputs.documents import document
from proxy.outputs.error_form import error_document
from proxy.outputs.media import Media, not_acceptable
from proxy.pipeline import Pipeline, Wish
from proxy.routes.answering import StreamedAnswer, as_proxy_error
from proxy.series import Item, ask_in_order
from proxy.telemetry.exchange import Exchange

Documents = AsyncGenerator[dict[str, Any]]


class SeriesAnswers:
    """Write what was found on the pictures of one request."""

    def __init__(self, pipeline: Pipeline, wish: Wish, exchange: Exchange, in_flight: InFlight) -> None:
        self._in_flight = in_flight
        self._pipeline = pipeline
        self._wish = wish
        # A picture of the series has no form of its own.
        self._each = replace(wish, media=Media.JSON)
        self._exchange = exchange
        self._style = pipeline.style(self._each)

    async def answer(self, key: str, items: AsyncGenerator[Item]) -> Answer | StreamedAnswer:
        """Write the answers in the form that is accepted.

        Args:
            key: Under which they stand in a whole document.
            items: The pictures.

        Raises:
            NotAcceptable: A series cannot be written in this form.
            ProxyError: What a picture causes, before anything is sent.
        """
        if self._wish.media.streams:
            return await self.streamed(items)
        if self._wish.media is not Media.JSON:
            forms = ", ".join(media.value for media in Media if media is Media.JSON or media.streams)
            raise not_acceptable(self._wish.media.value, f"What is found on several pictures can be written as {forms}")
        return await self.collected(key, items)

    async def collected(self, key: str, items: AsyncGenerator[Item]) -> Answer:
        """Wait for all and write them under a key, beside the model's name.

        Raises:
            ProxyError: The first that a picture causes.
        """
        answers = [found async for found in self._documents(items)]
        return Answer(write_json({"model": self._pipeline.model, key: answers}))

    async def streamed(self, items: AsyncGenerator[Item]) -> StreamedAnswer:
        """Write each as it comes; the first is waited for, so that a request that cannot be answered has its status.

        Raises:
            ProxyError: What the first picture causes.
        """
        write = _event if self._wish.media is Media.EVENTS else _line
        documents = self._documents(items)
        first = await anext(documents, None)

        async def pieces() -> AsyncGenerator[bytes]:
            count = 0
            try:
                if first is not None:
                    yield write("frame", first)
                    count = 1
                async with aclosing(documents):
                    async for found in documents:
                        yield write("frame", found)
                        count += 1
                yield write("end", {"end": {"frames": count}})
            except Exception as exception:
                self._exchange.failure = as_proxy_error(exception, self._exchange)
                yield write("error", error_document(self._exchange.failure, self._exchange.request_id))

        return StreamedAnswer(pieces(), self._wish.media.value)

    async def _documents(self, items: AsyncGenerator[Item]) -> Documents:
        asking = ask_in_order(self._pipeline, items, self._each, self._exchange, self._in_flight)
        async with aclosing(asking):
            async for item, result in asking:
                yield {**item.note, **document(result, self._style)}


def _line(kind: str, content: object) -> bytes:
    """Write a line of NDJSON; its keys tell what it is."""
    del kind
    return write_json(content) + b"\n"


def _event(kind: str, content: object) -> bytes:
    """Write a server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""
    return b"event: " + kind.encode() + b"\ndata: " + write_json(content) + b"\n\n"

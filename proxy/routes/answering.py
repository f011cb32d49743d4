"""Answering: how every request ends in an answer or an error of one form, a log line and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from proxy.access.client import Client
from proxy.access.gate import Gate
from proxy.config import ProxyConfig
from proxy.deadline import HEADER as TIMEOUT_HEADER
from proxy.deadline import Deadline, requested_seconds
from proxy.departure import client_left
from proxy.errors import ClientLeft, InternalError, ProxyError, TooManyRequests, UnknownRoute
from proxy.outputs.answer import JSON, Answer
from proxy.outputs.error_form import error_answer, error_headers
from proxy.routes.addressed import admit_as
from proxy.telemetry.exchange import HEADER as ID_HEADER
from proxy.telemetry.exchange import Exchange, chosen_request_id
from proxy.telemetry.logs import log_bug, log_exchange
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.stages import server_timing
from proxy.telemetry.tracing import Tracer


@dataclass(frozen=True, slots=True)
class StreamedAnswer:
    """Hold an answer that comes in pieces; its first piece is worth waiting for, so that errors keep their status."""

    pieces: AsyncGenerator[bytes]
    media_type: str
    ended: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Done when the last piece is sent or the sender has left."""


Handler = Callable[[Request, Exchange], Awaitable[Answer | StreamedAnswer]]
Route = Callable[[Request], Awaitable[Response]]


class Answering:
    """Turn what handlers return or raise into responses."""

    def __init__(self, config: ProxyConfig, gate: Gate, metrics: Metrics, tracer: Tracer) -> None:
        self._config = config
        self._gate = gate
        self._metrics = metrics
        self._tracer = tracer

    def route(self, path: str, handler: Handler) -> Route:
        """Return the function that the route of a path calls; the path is the name of its traces."""

        async def answered(request: Request) -> Response:
            return await self.answer(request, path, handler)

        return answered

    async def answer(self, request: Request, path: str, handler: Handler) -> Response:
        """Answer one request."""
        exchange = Exchange(
            request_id=chosen_request_id(request.headers.get(ID_HEADER)),
            deadline=Deadline.after(self._config.deadline_seconds),
            trace=self._tracer.begin(request.headers, request.method, path),
        )
        try:
            client = await self._admit(request, exchange)
            longest = self._config.deadline_seconds
            exchange.deadline = Deadline.after(requested_seconds(request.headers.get(TIMEOUT_HEADER), longest))
            answer = await handler(request, exchange)
        except Exception as exception:
            return self._failed(as_proxy_error(exception, exchange), exchange)
        if isinstance(answer, StreamedAnswer):
            return self._streamed(answer, exchange, {**_headers(exchange), **client.headers})
        self._record(exchange, None, len(answer.body))
        return Response(answer.body, 200, {**_headers(exchange), **client.headers, **answer.headers}, answer.media_type)

    async def no_route(self, request: Request, error: Exception) -> Response:
        """Answer a path or a method that there is not."""
        status = error.status_code if isinstance(error, HTTPException) else 404

        async def refuse(request: Request, exchange: Exchange) -> Answer:
            del exchange
            raise UnknownRoute(
                where="request line",
                found=f"{request.method} {request.url.path[:120]}",
                reason="The proxy has no such route" if status == 404 else "The route has other methods",
                remedy="POST to /v1/models/<model>:predict, GET /v1/models/<model>, or read /openapi.json",
                status=status,
            )

        return await self.answer(request, "/", refuse)

    async def _admit(self, request: Request, exchange: Exchange) -> Client:
        """Let a request in, or refuse it.

        Raises:
            Unauthenticated: See `Gate.admit`.
            TooManyRequests: See `Gate.admit`.
        """
        try:
            client = await self._gate.admit(request)
        except TooManyRequests:
            self._metrics.count_key(None, "limited")
            raise
        except ProxyError:
            self._metrics.count_key(None, "refused")
            raise
        self._metrics.count_key(client.label, "admitted")
        exchange.client = None if client.kind == "anonymous" else client.name
        admit_as(request, client)
        return client

    def _failed(self, error: ProxyError, exchange: Exchange) -> Response:
        body = error_answer(error, exchange.request_id)
        self._record(exchange, error, len(body))
        headers = {**_headers(exchange), **error_headers(error)}
        if isinstance(error, ClientLeft):
            headers["connection"] = "close"
        return Response(body, error.status, headers, JSON)

    def _streamed(self, answer: StreamedAnswer, exchange: Exchange, headers: Mapping[str, str]) -> Response:
        """Return the response that passes the pieces on.

        Whoever makes them writes an error among them, since the status is sent already.
        """
        size = 0
        error: ProxyError | None = client_left()

        async def counted() -> AsyncGenerator[bytes]:
            nonlocal size, error
            async with aclosing(answer.pieces) as pieces:
                async for piece in pieces:
                    size += len(piece)
                    yield piece
            error = exchange.failure

        def end() -> None:
            answer.ended.set_result(None)
            self._record(exchange, error, size)

        return _EndingResponse(counted(), headers, answer.media_type, end)

    def _record(self, exchange: Exchange, error: ProxyError | None, size: int) -> None:
        if error is not None:
            exchange.status, exchange.code = error.status, error.code
        else:
            exchange.status = 200
        exchange.client_bytes("to-client", size)
        self._metrics.record(exchange)
        exchange.trace.end(exchange)
        log_exchange(exchange, None if error is None else f"{error.where}: {error.found}")


class _EndingResponse(StreamingResponse):
    """Say when it has ended, also where its sender left before the first piece."""

    def __init__(
        self, pieces: AsyncGenerator[bytes], headers: Mapping[str, str], media_type: str, end: Callable[[], None]
    ) -> None:
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._end = end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._end()


def as_proxy_error(exception: Exception, exchange: Exchange) -> ProxyError:
    """Return what the sender is told; a foreign exception is a bug of ours, and its traceback is logged."""
    if isinstance(exception, ProxyError):
        return exception
    if isinstance(exception, ClientDisconnect):
        return client_left()
    log_bug(exchange)
    return InternalError(
        where="endpoint proxy",
        found=f"an unexpected {type(exception).__name__}",
        reason="This is a bug of the proxy, not a mistake in the request",
        remedy=f"Report it with the log lines of request id {exchange.request_id}",
    )


def _headers(exchange: Exchange) -> dict[str, str]:
    headers = {ID_HEADER: exchange.request_id}
    if exchange.stages.seconds:
        headers["server-timing"] = server_timing(exchange.stages.seconds.items())
    return headers

"""The endpoint: what each route does, and how every request ends in an answer, a log line and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from proxy.config import ProxyConfig
from proxy.deadline import HEADER as TIMEOUT_HEADER
from proxy.deadline import Deadline, requested_seconds
from proxy.departure import client_left, unless_client_leaves
from proxy.errors import BodyTooSlow, ClientLeft, InternalError, ProxyError, UnknownModel, UnknownRoute
from proxy.inputs.content import choose_task
from proxy.limits import InFlight, read_body
from proxy.outputs.answers import error_answer, write_json
from proxy.pipeline import Pipeline
from proxy.telemetry.exchange import HEADER as ID_HEADER
from proxy.telemetry.exchange import Exchange, chosen_request_id
from proxy.telemetry.logs import log_bug, log_exchange
from proxy.telemetry.metrics import CONTENT_TYPE, Metrics

Answer = Callable[[Request, Exchange], Awaitable[bytes]]

_JSON = "application/json"


class Endpoint:
    """Answer HTTP requests.

    Attributes:
        draining: True from the signal to stop on; readiness says so.
    """

    def __init__(self, config: ProxyConfig) -> None:
        self._config = config
        self._in_flight = InFlight(config.limits.max_in_flight)
        self._metrics = Metrics(self._in_flight)
        self.pipelines: Mapping[str, Pipeline] = {}
        self.draining = False

    async def predict(self, request: Request) -> Response:
        """Answer `POST /v1/models/{model}:predict`."""
        return await self._answered(request, self._predict)

    async def status(self, request: Request) -> Response:
        """Answer `GET /v1/models/{model}`."""
        return await self._answered(request, self._status)

    async def metadata(self, request: Request) -> Response:
        """Answer `GET /v1/models/{model}/metadata`."""
        return await self._answered(request, self._metadata)

    async def live(self, request: Request) -> Response:
        """Answer `GET /healthz`: the process turns its event loop."""
        del request
        return Response(write_json({"status": "live"}), media_type=_JSON)

    async def ready(self, request: Request) -> Response:
        """Answer `GET /readyz`: the proxy itself can answer, whatever the model servers do.

        One model that is down must not take the others' only way in out of service; its requests get a 503.
        """
        del request
        state = "draining" if self.draining else "ready"
        return Response(write_json({"status": state}), 503 if self.draining else 200, media_type=_JSON)

    async def metrics(self, request: Request) -> Response:
        """Answer `GET /metrics`."""
        del request
        return Response(self._metrics.exposition(), headers={"content-type": CONTENT_TYPE})

    async def no_route(self, request: Request, error: Exception) -> Response:
        """Answer a path or a method that there is not."""
        status = error.status_code if isinstance(error, HTTPException) else 404

        async def refuse(request: Request, exchange: Exchange) -> bytes:
            del exchange
            raise UnknownRoute(
                where="request line",
                found=f"{request.method} {request.url.path[:120]}",
                reason="The proxy has no such route" if status == 404 else "The route has other methods",
                remedy="POST to /v1/models/<model>:predict, or GET /v1/models/<model>",
                status=status,
            )

        return await self._answered(request, refuse)

    async def _predict(self, request: Request, exchange: Exchange) -> bytes:
        pipeline = self._pipeline(request, exchange)
        task = choose_task(request.headers)
        with self._in_flight.slot():
            body = await self._body(request, exchange)
            return await unless_client_leaves(request, self._in_time(pipeline.predict(task, body, exchange), exchange))

    async def _status(self, request: Request, exchange: Exchange) -> bytes:
        service = self._pipeline(request, exchange).service
        return write_json(await service.status(exchange.call_context()))

    async def _metadata(self, request: Request, exchange: Exchange) -> bytes:
        service = self._pipeline(request, exchange).service
        return write_json(await service.metadata(exchange.call_context()))

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
        return body

    async def _in_time(self, work: Awaitable[bytes], exchange: Exchange) -> bytes:
        try:
            async with asyncio.timeout(exchange.deadline.remaining):
                return await work
        except TimeoutError as error:
            raise exchange.deadline.exceeded(f"request for {exchange.model!r}") from error

    def _pipeline(self, request: Request, exchange: Exchange) -> Pipeline:
        """Find the model's pipeline, and take the request's own deadline."""
        name: str = request.path_params["model"]
        if name not in self.pipelines:
            raise UnknownModel(
                where="request path",
                found=f"the model {name[:80]!r}",
                reason=f"The proxy is configured with {', '.join(sorted(self.pipelines)) or 'no model at all'}",
                remedy="Name one of these, or add the model to the site",
            )
        exchange.model = name
        longest = self._config.deadline_seconds
        exchange.deadline = Deadline.after(requested_seconds(request.headers.get(TIMEOUT_HEADER), longest))
        return self.pipelines[name]

    async def _answered(self, request: Request, answer: Answer) -> Response:
        """Turn an answer or an error into a response, then log and count it."""
        exchange = Exchange(
            request_id=chosen_request_id(request.headers.get(ID_HEADER)),
            deadline=Deadline.after(self._config.deadline_seconds),
        )
        error = None
        try:
            body = await answer(request, exchange)
        except Exception as exception:
            error = _as_proxy_error(exception, exchange)
            body = error_answer(error, exchange.request_id)
        self._record(exchange, error, len(body))
        return Response(body, exchange.status, _headers(exchange, error), _JSON)

    def _record(self, exchange: Exchange, error: ProxyError | None, size: int) -> None:
        if error is not None:
            exchange.status, exchange.code = error.status, error.code
        else:
            exchange.status = 200
        exchange.client_bytes("to-client", size)
        self._metrics.record(exchange)
        log_exchange(exchange, None if error is None else f"{error.where}: {error.found}")


def _as_proxy_error(exception: Exception, exchange: Exchange) -> ProxyError:
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


def _headers(exchange: Exchange, error: ProxyError | None) -> dict[str, str]:
    headers = {ID_HEADER: exchange.request_id}
    if error is not None and error.retry_after_seconds is not None:
        headers["retry-after"] = str(error.retry_after_seconds)
    if isinstance(error, ClientLeft):
        headers["connection"] = "close"
    return headers

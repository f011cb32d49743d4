"""Live frames: a WebSocket on which pictures come in and what was found on each goes out.

The newest frame is answered; one that a newer overtakes while it waits is left out, so that a camera faster than the
model is answered late by one frame at most, never by a growing queue.
"""

from __future__ import annotations

import asyncio
from functools import partial

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from proxy.access.gate import Gate
from proxy.config import ProxyConfig
from proxy.deadline import Deadline
from proxy.errors import Busy, ProxyError
from proxy.limits import InFlight, Streams
from proxy.models import Models
from proxy.outputs.answers import write_json
from proxy.outputs.documents import document
from proxy.outputs.error_form import error_document
from proxy.pipeline import Pipeline, Wish
from proxy.routes.addressed import admit_as, find_model
from proxy.routes.answering import as_proxy_error
from proxy.tasks.options import read_options
from proxy.tasks.picture import prepare_picture_task
from proxy.telemetry.exchange import HEADER as ID_HEADER
from proxy.telemetry.exchange import Exchange, chosen_request_id
from proxy.telemetry.logs import log_event
from proxy.telemetry.metrics import Metrics

_PROTOCOL = "kubevc.v1"
"""Answered to a page that has to send its key as another protocol."""
_POLICY_VIOLATION = 1008
_TRY_AGAIN_LATER = 1013


class LiveFrames:
    """Answer `/v1/models/{model}/stream`."""

    def __init__(
        self,
        *,
        config: ProxyConfig,
        gate: Gate,
        models: Models,
        in_flight: InFlight,
        streams: Streams,
        metrics: Metrics,
    ) -> None:
        self._config = config
        self._gate = gate
        self._models = models
        self._in_flight = in_flight
        self._metrics = metrics
        self._streams = streams

    async def stream(self, socket: WebSocket) -> None:
        """Answer the frames of one socket until its sender leaves."""
        await socket.accept(_PROTOCOL if _PROTOCOL in socket.scope["subprotocols"] else None)
        exchange = self._exchange(chosen_request_id(socket.headers.get(ID_HEADER)))
        try:
            client = await self._gate.admit(socket)
            admit_as(socket, client)
            exchange.client = client.name
            pipeline = find_model(self._models, socket, exchange)
            wish = Wish(options=read_options(socket.query_params.multi_items()))
            with self._streams.open():
                await self._stream(socket, pipeline, wish, exchange)
        except ProxyError as error:
            await _refuse(socket, error, exchange.request_id)

    def _exchange(self, request_id: str) -> Exchange:
        return Exchange(request_id=request_id, deadline=Deadline.after(self._config.deadline_seconds))

    async def _stream(self, socket: WebSocket, pipeline: Pipeline, wish: Wish, opened: Exchange) -> None:
        frames = _Frames()
        self._metrics.stream_opened(pipeline.model)
        receiving = asyncio.ensure_future(self._receive(socket, frames, pipeline.model))
        try:
            while (frame := await frames.next()) is not None:
                await self._answer(socket, pipeline, wish, frame, opened.request_id)
        except WebSocketDisconnect:
            pass
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            self._metrics.stream_closed(pipeline.model)
            told = {"request_id": opened.request_id, "client": opened.client, "model": pipeline.model}
            log_event("stream-ended", **told, frames=frames.received)

    async def _receive(self, socket: WebSocket, frames: _Frames, model: str) -> None:
        """Take frames as they come; the newest replaces one that still waits."""
        try:
            while True:
                if frames.put(await _payload(socket)):
                    self._metrics.count_frame(model, "dropped")
        finally:
            frames.end()

    async def _answer(
        self, socket: WebSocket, pipeline: Pipeline, wish: Wish, frame: tuple[int, bytes], request_id: str
    ) -> None:
        number, data = frame
        exchange = self._exchange(request_id)
        exchange.model = pipeline.model
        try:
            # Each frame is taken from its sender's limit, as a request would be.
            await self._gate.admit(socket)
            found = await self._found(pipeline, wish, data, exchange)
        except Exception as exception:
            error = as_proxy_error(exception, exchange)
            found = error_document(error, request_id)
            exchange.status, exchange.code = error.status, error.code
        else:
            exchange.status = 200
        self._metrics.count_frame(pipeline.model, "answered" if exchange.status == 200 else "failed")
        stages = {stage: round(seconds * 1000, 3) for stage, seconds in exchange.stages.seconds.items()}
        await _send(socket, {"frame": number, **found, "milliseconds": stages})

    async def _found(self, pipeline: Pipeline, wish: Wish, data: bytes, exchange: Exchange) -> dict[str, object]:
        async with self._in_flight.place(exchange.deadline):
            try:
                async with asyncio.timeout(exchange.deadline.remaining):
                    result = await pipeline.ask(partial(prepare_picture_task, data), wish, exchange)
            except TimeoutError as error:
                raise exchange.deadline.exceeded(f"frame for {pipeline.model!r}") from error
        return document(result, pipeline.style(wish))


class _Frames:
    """Hold the newest frame that has not been taken yet.

    Attributes:
        received: The frames that came, the number of the last one.
    """

    def __init__(self) -> None:
        self.received = 0
        self._newest: tuple[int, bytes] | None = None
        self._ended = False
        self._change = asyncio.Event()

    def put(self, data: bytes) -> bool:
        """Take a frame; say whether it took the place of another."""
        replaces = self._newest is not None
        self.received += 1
        self._newest = (self.received, data)
        self._change.set()
        return replaces

    def end(self) -> None:
        """Say that no more come."""
        self._ended = True
        self._change.set()

    async def next(self) -> tuple[int, bytes] | None:
        """Wait for a frame and return its number and its bytes, or None after the last."""
        while self._newest is None and not self._ended:
            self._change.clear()
            await self._change.wait()
        newest, self._newest = self._newest, None
        return newest


async def _payload(socket: WebSocket) -> bytes:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    data = message.get("bytes")
    # A text is a mistake that the decoder of pictures explains as well as any other.
    return data if data is not None else message["text"].encode()


async def _send(socket: WebSocket, content: object) -> None:
    if socket.application_state is WebSocketState.CONNECTED and socket.client_state is WebSocketState.CONNECTED:
        await socket.send_text(write_json(content).decode())


async def _refuse(socket: WebSocket, error: ProxyError, request_id: str) -> None:
    await _send(socket, error_document(error, request_id))
    await socket.close(_TRY_AGAIN_LATER if isinstance(error, Busy) else _POLICY_VIOLATION, error.code)

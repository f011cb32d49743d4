"""A replica: one server of a model, with its connections."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from proxy.backend.addresses import Address
from proxy.backend.breaker import Breaker
from proxy.backend.context import CallContext
from proxy.backend.settings import BackendSettings

PROCESSING_SECONDS = "x-processing-seconds"
"""The trailing metadata in which a server says how long it worked on a call."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Hold an answer as it came."""

    data: bytes
    processing_seconds: float | None
    """What the server says that it needed; None where it says nothing."""


class Replica:
    """Ask one server, over the connection with the fewest calls under way."""

    def __init__(self, address: Address, settings: BackendSettings) -> None:
        self.address = address
        self.breaker = Breaker(settings.breaker)
        self._slow_seconds = settings.breaker.slow_seconds
        self._connections = [_Connection(address, settings) for _ in range(settings.channels_per_replica)]
        self.outstanding = 0
        """The number of calls under way."""
        self._idle = asyncio.Event()
        self._idle.set()

    def is_connected(self) -> bool:
        """Say whether a connection stands, beginning to connect those that do not."""
        return bool(self._ready())

    async def call(self, method: str, request: bytes, context: CallContext) -> Reply:
        """Call a method, telling the breaker how it went.

        Raises:
            grpc.aio.AioRpcError: The call failed.
        """
        connection = min(self._ready() or self._connections, key=lambda one: one.outstanding)
        given = context.deadline.remaining
        self.breaker.begin()
        self._begin()
        try:
            reply = await connection.call(method, request, given, context)
        except grpc.aio.AioRpcError as error:
            self._judge(error.code(), given)
            raise
        except BaseException:
            self.breaker.ended()
            raise
        finally:
            self._end()
        self.breaker.succeeded()
        return reply

    async def close_when_idle(self) -> None:
        """Close once no call is under way; at once, cancelling them, when cancelled itself."""
        try:
            await self._idle.wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the connections, cancelling what is under way."""
        await asyncio.gather(*(connection.channel.close() for connection in self._connections))

    def _ready(self) -> list[_Connection]:
        return [connection for connection in self._connections if connection.is_ready()]

    def _begin(self) -> None:
        self.outstanding += 1
        self._idle.clear()

    def _end(self) -> None:
        self.outstanding -= 1
        if not self.outstanding:
            self._idle.set()

    def _judge(self, code: grpc.StatusCode, given: float) -> None:
        if code is grpc.StatusCode.UNAVAILABLE:
            self.breaker.failed()
        elif code is grpc.StatusCode.DEADLINE_EXCEEDED:
            # Who gives a call a millisecond learns nothing of the server by it.
            self.breaker.failed() if given >= self._slow_seconds else self.breaker.ended()
        elif code is grpc.StatusCode.NOT_FOUND:
            self.breaker.ended()
        else:
            self.breaker.succeeded()


class _Connection:
    """One channel to a server, with a TCP connection of its own."""

    def __init__(self, address: Address, settings: BackendSettings) -> None:
        self.channel = grpc.aio.insecure_channel(address.target, options=_options(address, settings))
        self.outstanding = 0
        self._callables: dict[str, Any] = {}

    def is_ready(self) -> bool:
        return self.channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY

    async def call(self, method: str, request: bytes, timeout_seconds: float, context: CallContext) -> Reply:
        metadata = grpc.aio.Metadata(("x-request-id", context.request_id), *context.metadata)
        self.outstanding += 1
        try:
            call = self._callable(method)(request, timeout=timeout_seconds, metadata=metadata, wait_for_ready=False)
            data = await call
            return Reply(data, _processing_seconds(await call.trailing_metadata()))
        finally:
            self.outstanding -= 1

    def _callable(self, method: str) -> grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]:
        if method not in self._callables:
            self._callables[method] = self.channel.unary_unary(method)
        return self._callables[method]


def _processing_seconds(metadata: grpc.aio.Metadata) -> float | None:
    text = metadata.get(PROCESSING_SECONDS)
    try:
        seconds = math.nan if text is None else float(text)
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None


def _options(address: Address, settings: BackendSettings) -> list[tuple[str, Any]]:
    return [
        ("grpc.default_authority", address.authority),
        # gRPC's default of 4 MB is less than one 640 x 640 picture in float32.
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        # Otherwise all channels of a process to one address share one TCP connection.
        ("grpc.use_local_subchannel_pool", 1),
        # A model server that restarts is found again within about a second, not after gRPC's two minutes. The least
        # pause is also the time for one attempt to connect, so a node without power holds a call no longer than that.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 500),
        ("grpc.max_reconnect_backoff_ms", 1000),
        # A node that lost its power sends no goodbye; without these pings calls would wait on the dead connection. A
        # keepalive ping is not sent while another is out, and gRPC sends one of its own with most messages, to measure
        # the line: that one needs the same limit, or it holds the keepalive back for its default of a minute.
        ("grpc.keepalive_time_ms", round(settings.keepalive_seconds * 1000)),
        ("grpc.keepalive_timeout_ms", round(settings.keepalive_timeout_seconds * 1000)),
        ("grpc.http2.ping_timeout_ms", round(settings.keepalive_timeout_seconds * 1000)),
        # The proxy is inside the cluster; a proxy of the environment must never be asked for a pod's address.
        ("grpc.enable_http_proxy", 0),
    ]

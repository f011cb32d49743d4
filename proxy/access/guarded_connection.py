"""Guarded connections: uvicorn's protocol, with an end to its patience.

By itself, uvicorn closes a connection that stays silent after an answer, and nothing else. Here a timer that arriving
bytes do not push back runs whenever no request is being answered: for the first or next head, and for the rest of a
body whose answer came early. What the parser keeps to itself is bounded, and a client that takes nothing of its answer
is cut off.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from proxy.access.connection_refusals import long_head, many_headers, no_http, refusal_bytes, slow_head, too_many
from proxy.access.settings import Connections
from proxy.access.tls import CERTIFICATE_NAME, certificate_name
from proxy.errors import ProxyError

Refused = Callable[[ProxyError, str], None]
"""What is told of a refusal and its request id."""


class _HeadRefused(Exception):
    """Stop the parser inside of a head."""


def guarded_connection(limits: Connections, refused: Refused) -> type[HttpToolsProtocol]:
    """Return the class to give to uvicorn as `http=`.

    Args:
        limits: How long and how large.
        refused: Told of every refusal, to log and count it.
    """

    class Guarded(GuardedConnection):
        """Hold the limits of one server."""

        _limits = limits
        _refused = staticmethod(refused)

    return Guarded


class GuardedConnection(HttpToolsProtocol):
    """Serve one connection within limits; `guarded_connection` makes the class that has them."""

    _limits: Connections
    _refused: Refused

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.timeout_keep_alive = self._limits.idle_seconds  # pyright: ignore[reportAttributeAccessIssue]
        self._timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._unwritten = 0
        self._waiting_since = self.loop.time()
        self._anything_came = False
        self._in_head = False
        self._in_message = False
        self._head_bytes = 0
        self._kept_bytes = 0
        self._gave_on = False
        self._head_error: ProxyError | None = None

    @property
    def waiting_since(self) -> float | None:
        """Return since when there has been no whole request, or None while one is answered."""
        return None if self._answering else self._waiting_since

    @property
    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete  # pyright: ignore[reportUnnecessaryComparison]

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Begin; over the limit, the connection that has waited longest makes room."""
        super().connection_made(transport)
        if name := certificate_name(transport.get_extra_info("peercert")):
            self.app_state = {**self.app_state, CERTIFICATE_NAME: name}
        others = len(self.connections) - 1
        if others >= self._limits.max_connections and not self._make_room():
            self._refuse(too_many(others))
        else:
            self._start_timer()

    def data_received(self, data: bytes) -> None:
        """Read what came."""
        if self.transport.is_closing():
            return
        self._anything_came = True
        self._gave_on = False
        if not self._answering:
            self._start_timer()
        super().data_received(data)
        self._kept_bytes = 0 if self._gave_on else self._kept_bytes + len(data)
        if self._in_message and self._kept_bytes > self._limits.max_head_bytes and not self.transport.is_closing():
            # One endless header or trailer: the parser tells of it only at its end.
            self._refuse(long_head(self._limits.max_head_kib))

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_timers()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Watch whether the client takes its answer."""
        super().pause_writing()
        self._watch_writing()

    def handle_websocket_upgrade(self) -> None:
        """Leave the connection to the WebSocket's protocol, which has limits of its own."""
        self._stop_timers()
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        """Begin to read a head."""
        super().on_message_begin()
        self._in_head = self._in_message = True
        self._head_bytes = 0
        self._start_timer()

    def on_url(self, url: bytes) -> None:
        """Read a piece of the request line."""
        super().on_url(url)
        self._count_head(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a header, or a trailer."""
        super().on_header(name, value)
        self._count_head(len(name) + len(value) + len(": \r\n"))

    def on_headers_complete(self) -> None:
        """Give the request to the application."""
        self._in_head = False
        self._gave_on = True
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Give on a piece of the body."""
        self._gave_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request; if it has its answer already, wait for the next one from now on."""
        super().on_message_complete()
        self._in_message = False
        self._gave_on = True
        if not self._answering:
            self._wait_for_next()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the rest of this one's body."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._stop_timer()
        elif not self._answering:
            self._wait_for_next()
            if self._in_message:
                self._unset_keepalive_if_required()
                self._start_timer()
        self._watch_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser could not read, in the form of all errors."""
        del msg
        self._refuse(self._head_error or no_http())

    def _count_head(self, size: int) -> None:
        """Stop at a head that is too large.

        Raises:
            _HeadRefused: It is; the parser turns this into a call of `send_400_response`.
        """
        self._head_bytes += size
        if self._head_bytes > self._limits.max_head_bytes:
            self._head_error = long_head(self._limits.max_head_kib)
        elif len(self.headers) > self._limits.max_headers:
            self._head_error = many_headers(self._limits.max_headers)
        if self._head_error is not None:
            raise _HeadRefused

    def _wait_for_next(self) -> None:
        self._stop_timer()
        self._unset_keepalive_if_required()
        self._anything_came = False
        self._waiting_since = self.loop.time()
        self.timeout_keep_alive_task = self.loop.call_later(self._limits.idle_seconds, self.timeout_keep_alive_handler)

    def _start_timer(self) -> None:
        """Start the time of a head or of the rest of a body, unless it runs already."""
        if self._timer is None:
            self._timer = self.loop.call_later(self._limits.head_seconds, self._end_waiting)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end_waiting(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._answering:
            # The head of a second request behind the first: nobody else can use the connection meanwhile.
            self._start_timer()
        elif self._anything_came and (self._in_head or not self._in_message):
            self._refuse(slow_head(self._limits.head_seconds))
        else:
            # Nothing was asked, or what was asked is answered.
            self.transport.abort()

    def _refuse(self, error: ProxyError) -> None:
        """Answer with an error, and close."""
        self._stop_timer()
        self._unset_keepalive_if_required()
        if self._answering:
            # The answer to an earlier request, or to this one, is under way; nothing may be written into it.
            self.transport.abort()
            return
        request_id = uuid.uuid4().hex
        self.transport.write(refusal_bytes(error, request_id))
        self.transport.close()
        self._watch_writing()
        self._refused(error, request_id)

    def _make_room(self) -> bool:
        """Close the connection that has waited longest for a whole request; say whether there was one."""
        others = (other for other in self.connections if isinstance(other, GuardedConnection) and other is not self)
        waiting = [other for other in others if other.waiting_since is not None]
        if waiting:
            min(waiting, key=lambda other: other.waiting_since or 0.0).transport.abort()
        return bool(waiting)

    def _watch_writing(self) -> None:
        self._unwritten = self.transport.get_write_buffer_size()
        if self._write_timer is None and self._unwritten > 0:
            self._write_timer = self.loop.call_later(self._limits.stalled_seconds, self._check_writing)

    def _check_writing(self) -> None:
        """Cut off a client that took nothing since the last look."""
        self._write_timer = None
        if self.transport.get_write_buffer_size() >= self._unwritten:
            self.transport.abort()
        else:
            self._watch_writing()

    def _stop_timers(self) -> None:
        self._stop_timer()
        self._unset_keepalive_if_required()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

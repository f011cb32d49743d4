"""One TCP connection to the server with many requests under way; it is made again whenever it breaks."""

import random
import socket
import struct
import syslog
import threading
import time
from contextlib import suppress

_LAST_FRAGMENT = 0x80000000
_BUFFER_BYTES = 4 << 20
_ANSWER_EXPECTED_SECONDS = 3


class Request:
    """A message that waits for its answer."""

    def __init__(self, message: bytes) -> None:
        self.message = message
        self.answered = threading.Event()
        self.answer = bytearray()
        self.since = time.monotonic()


class Transport:
    """Carry RPC messages (RFC 5531, section 11: record marking) and pair answers with requests by their xid.

    After a break it connects again and sends all that is outstanding once more: requests name their files by handle
    and hold no state, so the server may do them twice.

    Args:
        host: Address of the server.
        port: TCP port of the server.
    """

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self._socket: socket.socket | None = None
        self._outstanding: dict[int, Request] = {}
        self._lock = threading.Lock()

    def start(self, timeout_seconds: float) -> None:
        """Connect for the first time.

        Raises:
            OSError: The server does not take the connection.
        """
        connection = self._connect(timeout_seconds)
        self._socket = connection
        threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def send(self, xid: int, message: bytes) -> Request:
        """Send a message; while there is no connection it is kept and sent later."""
        request = Request(uint_mark(message) + message)
        with self._lock:
            self._outstanding[xid] = request
            if self._socket is not None:
                # A failure is seen by the reading thread too, which connects and sends again.
                with suppress(OSError):
                    self._socket.sendall(request.message)
        return request

    def forget(self, xid: int) -> None:
        """Give up waiting for an answer."""
        self._outstanding.pop(xid, None)

    def away(self) -> bool:
        """Say whether the server seems gone: no connection, or a request without an answer for seconds."""
        oldest = min((request.since for request in list(self._outstanding.values())), default=time.monotonic())
        return self._socket is None or time.monotonic() - oldest > _ANSWER_EXPECTED_SECONDS

    def _connect(self, timeout_seconds: float) -> socket.socket:
        connection = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
        # Servers may take requests of root from low ports only, as kernel clients send them.
        for port in random.sample(range(700, 1023), 20):
            with suppress(OSError):
                connection.bind(("", port))
                break
        connection.settimeout(timeout_seconds)
        try:
            connection.connect((self.host, self.port))
        except OSError:
            connection.close()
            raise
        connection.settimeout(None)
        _tune(connection)
        return connection

    def _serve(self, connection: socket.socket) -> None:
        while True:
            try:
                self._take_answers(connection)
            except OSError as error:
                syslog.syslog(f"server {self.host} not responding: {error}")
            with self._lock:
                self._socket = None
            connection.close()
            connection = self._connect_again()

    def _take_answers(self, connection: socket.socket) -> None:
        while True:
            answer = _record(connection)
            request = self._outstanding.pop(struct.unpack_from(">I", answer)[0], None)
            if request is not None:
                request.answer = answer
                request.answered.set()

    def _connect_again(self) -> socket.socket:
        pause = 0.1
        while True:
            try:
                connection = self._connect(5)
            except OSError:
                time.sleep(pause)
                pause = min(2.0, pause * 1.5)
                continue
            with self._lock:
                self._socket = connection
                with suppress(OSError):
                    for request in list(self._outstanding.values()):
                        connection.sendall(request.message)
            syslog.syslog(f"server {self.host} OK")
            return connection


def uint_mark(message: bytes) -> bytes:
    """Return the record mark of a message sent as one fragment."""
    return struct.pack(">I", _LAST_FRAGMENT | len(message))


def _tune(connection: socket.socket) -> None:
    """Find out within seconds that the server's machine is gone, and keep enough bytes under way."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        connection.setsockopt(socket.SOL_SOCKET, option, _BUFFER_BYTES)
    for option, value in (
        (socket.TCP_NODELAY, 1),
        (socket.TCP_USER_TIMEOUT, 15_000),
        (socket.TCP_KEEPIDLE, 10),
        (socket.TCP_KEEPINTVL, 5),
        (socket.TCP_KEEPCNT, 3),
    ):
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _record(connection: socket.socket) -> bytearray:
    record = bytearray()
    while True:
        mark = struct.unpack(">I", _exactly(connection, 4))[0]
        fragment = _exactly(connection, mark & ~_LAST_FRAGMENT)
        record = record + fragment if record else fragment
        if mark & _LAST_FRAGMENT:
            return record


def _exactly(connection: socket.socket, length: int) -> bytearray:
    content = bytearray(length)
    view = memoryview(content)
    at = 0
    while at < length:
        count = connection.recv_into(view[at:])
        if not count:
            raise ConnectionResetError("the server closed the connection")
        at += count
    return content

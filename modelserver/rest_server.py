"""The sockets in front of the REST interface: connections, bodies, and an end that loses nothing."""

from __future__ import annotations

import logging
import threading
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from typing import Any
from urllib.parse import urlsplit

from modelserver.errors import InvalidArgument
from modelserver.rest_api import Answer, RestApi

LOG = logging.getLogger(__name__)
MAX_BODY_BYTES = 2**30


class RestServer(ThreadingHTTPServer):
    """A socket in front of a RestApi; a thread per connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: RestApi, idle_seconds: float) -> None:
        """Listen on `address`; port 0 takes any free one."""
        self.address_family = AF_INET6 if ":" in address[0] else AF_INET
        self.api = api
        self.idle_seconds = idle_seconds
        self._under_way = 0
        self._quiet = threading.Condition()
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say in one line that a connection broke; that is the client's or the network's doing."""
        LOG.info("REST connection from %s broke", client_address, exc_info=LOG.isEnabledFor(logging.DEBUG))

    def begin(self) -> None:
        """Note that a request began."""
        with self._quiet:
            self._under_way += 1

    def end(self) -> None:
        """Note that a request ended."""
        with self._quiet:
            self._under_way -= 1
            self._quiet.notify_all()

    def drain(self, seconds: float) -> bool:
        """Take no new connection and wait for requests that are under way. Returns whether all ended."""
        self.shutdown()
        with self._quiet:
            finished = self._quiet.wait_for(lambda: self._under_way == 0, seconds)
        self.server_close()
        return finished


class _Handler(BaseHTTPRequestHandler):
    server: RestServer
    protocol_version = "HTTP/1.1"
    server_version = "kubevc-modelserver"
    sys_version = ""
    disable_nagle_algorithm = True
    # Head and body leave in one piece.
    wbufsize = 64 * 1024

    def setup(self) -> None:
        self.timeout = self.server.idle_seconds
        super().setup()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.begin()
        try:
            self._unread = self._content_length()
            answer = self.server.api.answer(self.command, urlsplit(self.path).path, self._read_body)
            self._send(answer)
        finally:
            self.server.end()

    def _content_length(self) -> int:
        text = self.headers.get("Content-Length", "0")
        return int(text) if text.isdecimal() else -1

    def _read_body(self) -> bytes:
        if self._unread < 0 or "Transfer-Encoding" in self.headers:
            raise InvalidArgument("The length of the body is not given; send Content-Length")
        if self._unread > MAX_BODY_BYTES:
            raise InvalidArgument(f"The body of {self._unread} bytes is larger than 1 GiB")
        length, self._unread = self._unread, 0
        data = self.rfile.read(length)
        if len(data) < length:
            raise InvalidArgument(f"The body ended after {len(data)} of {length} bytes")
        return _unpacked(data) if "gzip" in self.headers.get("Content-Encoding", "").lower() else data

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self._unread:
            # What follows on this connection is a body that nobody read.
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        LOG.debug(format, *args)


def _unpacked(data: bytes) -> bytes:
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(data, MAX_BODY_BYTES)
    except zlib.error as error:
        raise InvalidArgument(f"The body is not gzip: {error}") from error
    if unpacker.unconsumed_tail:
        raise InvalidArgument("The unpacked body is larger than 1 GiB")
    return unpacked

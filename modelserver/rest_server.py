"""The sockets in front of the REST interface: connections, bodies, and an end that loses nothing."""

from __future__ import annotations

import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any
from urllib.parse import urlsplit

from modelserver.errors import InvalidArgument
from modelserver.rest_api import Answer, RestApi
from modelserver.rest_body import MAX_BODY_BYTES, TOO_LARGE, read_chunks, read_exactly, unpacked

LOG = logging.getLogger(__name__)


class RestServer(ThreadingHTTPServer):
    """A socket in front of a RestApi; a thread per connection."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], api: RestApi, idle_seconds: float) -> None:
        """Listen on `address`; port 0 takes any free one."""
        host, port = address
        if host == "::" and not socket.has_dualstack_ipv6():
            host = "0.0.0.0"
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.api = api
        self.idle_seconds = idle_seconds
        self._under_way = 0
        self._quiet = threading.Condition()
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind for IPv4 too where the address is IPv6's wildcard; do not ask a name server who we are."""
        if self.address_family == socket.AF_INET6:
            self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        # HTTPServer's own asks for the host's full name: in a pod without DNS that takes many seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

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
        # Until its body was read to the end, a connection cannot carry another request.
        self._body_is_read = "Transfer-Encoding" not in self.headers and self.headers.get("Content-Length", "0") == "0"
        try:
            answer = self.server.api.answer(self.command, urlsplit(self.path).path, self._read_body)
            self._send(answer)
        finally:
            self.server.end()

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            data = read_chunks(self.rfile)
        else:
            data = read_exactly(self.rfile, self._content_length())
        self._body_is_read = True
        return unpacked(data) if "gzip" in self.headers.get("Content-Encoding", "").lower() else data

    def _content_length(self) -> int:
        text = self.headers.get("Content-Length", "0")
        if not text.isdecimal() or "Transfer-Encoding" in self.headers:
            raise InvalidArgument("The length of the body is not given; send Content-Length")
        if int(text) > MAX_BODY_BYTES:
            raise InvalidArgument(TOO_LARGE)
        return int(text)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if not self._body_is_read:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        LOG.debug(format, *args)

"""A REST interface whose answers have TensorFlow Serving's form: one number per line, four blanks per level.

    python -m experiments.rivals.tfs_rest --port 8502 --upstream 127.0.0.1:8501

The repository's own model server answers the same JSON without blanks, which is less than half the bytes. This program
stands before it on the same host and puts the blanks in, so that a user gets what the source paper's users got. It is
faster than TensorFlow Serving's own writer has any right to be, as it does not write the numbers again.
"""

from __future__ import annotations

import argparse
import http.client
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

_INDENT = b" " * 4
_HEAD, _TAIL = b'{"outputs":', b"}"


def spread(compact: bytes) -> bytes:
    """Put every number and bracket of a column answer with one output on a line of its own.

    Args:
        compact: `{"outputs":[[1.0,2.0],[3.0,4.0]]}`.

    Raises:
        ValueError: It is no such answer.
    """
    if not compact.startswith(_HEAD + b"["):
        raise ValueError("not the column answer of a model with one output")
    body = compact[len(_HEAD) : -len(_TAIL)]
    depth = len(body) - len(body.lstrip(b"["))
    # Between two numbers there may be `,`, `],[`, `]],[[` and so on; a byte that no JSON has marks each kind.
    for brackets in range(depth - 1, 0, -1):
        body = body.replace(b"]" * brackets + b"," + b"[" * brackets, bytes([brackets]))
    body = body[depth:-depth].replace(b",", b",\n" + _INDENT * (depth + 1))
    for brackets in range(1, depth):
        closing, opening = _closing(depth, brackets), _opening(depth, brackets)
        body = body.replace(bytes([brackets]), closing + b",\n" + _INDENT * (depth + 1 - brackets) + opening)
    return b'{\n    "outputs": ' + _opening(depth, depth) + body + _closing(depth, depth) + b"\n}"


def _opening(depth: int, brackets: int) -> bytes:
    """Return brackets that open, the last of them before the numbers."""
    return b"".join(b"[\n" + _INDENT * level for level in range(depth + 2 - brackets, depth + 2))


def _closing(depth: int, brackets: int) -> bytes:
    """Return brackets that close, the first of them after the numbers."""
    return b"".join(b"\n" + _INDENT * level + b"]" for level in range(depth, depth - brackets, -1))


class Handler(BaseHTTPRequestHandler):
    """Pass requests on, and their answers back with blanks."""

    protocol_version = "HTTP/1.1"
    upstream: tuple[str, int]

    def do_GET(self) -> None:
        """Pass a question about a model on."""
        self._answer(*self._asked("GET", None))

    def do_POST(self) -> None:
        """Pass a request on."""
        status, answer = self._asked("POST", self.rfile.read(int(self.headers["content-length"])))
        self._answer(status, spread(answer) if status == 200 else answer)

    def _asked(self, method: str, body: bytes | None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection(*self.upstream, timeout=120)
        try:
            connection.request(method, self.path, body, {"content-type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(prog="python -m experiments.rivals.tfs_rest", description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True, help="the model server's REST address")
    given = parser.parse_args()
    host, _, port = given.upstream.rpartition(":")
    Handler.upstream = (host, int(port))
    ThreadingHTTPServer((given.address, given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()

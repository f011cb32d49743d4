"""The artifact mirror: files of one folder over HTTP, whole or in part."""

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")


class MirrorHandler(BaseHTTPRequestHandler):
    """Answer GET and HEAD for files below `directory`; a range of bytes lets a broken download go on."""

    protocol_version = "HTTP/1.1"
    directory: Path

    def do_HEAD(self) -> None:
        """Answer with the headers of a file."""
        self._answer(body=False)

    def do_GET(self) -> None:
        """Answer with a file, or with the part of it that is asked for."""
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        file = self._file()
        if file is None:
            self.send_error(HTTPStatus.NOT_FOUND, "no such artifact")
            return
        with file.open("rb") as content:
            self._send(content, file, body=body)

    def _file(self) -> Path | None:
        asked = unquote(urlsplit(self.path).path).lstrip("/")
        file = (self.directory / asked).resolve()
        inside = file.is_relative_to(self.directory.resolve())
        return file if inside and file.is_file() else None

    def _send(self, content: BinaryIO, file: Path, *, body: bool) -> None:
        status = file.stat()
        tag = f'"{status.st_size:x}-{status.st_mtime_ns:x}"'
        try:
            first, last = self._span(status.st_size, tag)
        except ValueError:
            self.send_response(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.send_header("Content-Range", f"bytes */{status.st_size}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        partial = (first, last) != (0, status.st_size - 1)
        self.send_response(HTTPStatus.PARTIAL_CONTENT if partial else HTTPStatus.OK)
        if partial:
            self.send_header("Content-Range", f"bytes {first}-{last}/{status.st_size}")
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.end_headers()
        if body and last >= first:
            self.connection.sendfile(content, first, last - first + 1)

    def _span(self, size: int, tag: str) -> tuple[int, int]:
        """Return the first and last byte to send.

        Raises:
            ValueError: The range asked for is beyond the file.
        """
        asked = _RANGE.match(self.headers.get("Range", ""))
        # RFC 9110, 13.1.5: a range of a file that has changed since is a request for the whole new one.
        if asked is None or asked.group(0) == "bytes=-" or self.headers.get("If-Range", tag) != tag:
            return 0, size - 1
        start, end = asked.groups()
        first = int(start) if start else max(size - int(end), 0)
        last = min(int(end), size - 1) if start and end else size - 1
        if first > last:
            raise ValueError(f"{asked.group(0)} of {size} bytes")
        return first, last

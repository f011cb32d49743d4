"""A server of files on loopback, and what an official release looks like on it."""

import hashlib
import io
import tarfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from toolchain.release import Release

ARCHIVE = "/pulumi-v3.259.0-linux-x64.tar.gz"
CHECKSUMS = "/pulumi-3.259.0-checksums.txt"


class Served(ThreadingHTTPServer):
    """A server of the files in `files` that writes down what it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Served)
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


def archive(script: str = "#!/bin/sh\necho v3.259.0\n") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as content:
        for name in ("pulumi", "pulumi-language-python", "pulumi-language-python-exec"):
            member = tarfile.TarInfo(f"pulumi/{name}")
            member.size, member.mode = len(script), 0o755
            content.addfile(member, io.BytesIO(script.encode()))
    return packed.getvalue()


def publish(served: Served, content: bytes, of: bytes | None = None) -> Release:
    digest = hashlib.sha256(content if of is None else of).hexdigest()
    served.files[ARCHIVE] = content
    served.files[CHECKSUMS] = f"{'0' * 64}  pulumi-v3.259.0-darwin-x64.tar.gz\n{digest}  {ARCHIVE[1:]}\n".encode()
    return Release(version="3.259.0", architecture="amd64", base_url=served.url)

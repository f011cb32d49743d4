"""An npm registry on loopback with one package in it, for the real npm client."""

import base64
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def archive(files: Mapping[str, bytes]) -> bytes:
    """Return an npm archive, which keeps its files under `package/`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as content:
        for name, data in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(data)
            content.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def integrity(content: bytes) -> str:
    """Return npm's form of an archive's sha512."""
    return f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}"


@contextmanager
def serving(package: str, version: str, content: bytes) -> Iterator[str]:
    """Serve one package and yield the registry's address."""

    class Registry(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content if self.path.endswith(".tgz") else json.dumps(self.packument()).encode())

        def packument(self) -> dict[str, Any]:
            dist = {"tarball": f"{address}/{package}/-/archive.tgz", "integrity": integrity(content)}
            release = {"name": package, "version": version, "dist": dist}
            return {"name": package, "versions": {version: release}, "dist-tags": {"latest": version}}

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield address
        server.shutdown()

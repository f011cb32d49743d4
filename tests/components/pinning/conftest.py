"""Publishers on loopback: a real web server with the file layout of dl.k8s.io and GitHub's releases."""

import hashlib
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.pinning.__main__ import main
from components.pinning.download import Downloader
from components.pinning.releases import Upstream


@dataclass
class Publisher:
    """A web server, its folder, and what it was asked."""

    folder: Path
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter[str])
    failures: dict[str, int] = field(default_factory=dict)
    """How often an address answers 503 before it works."""

    def put(self, path: str, content: bytes | str) -> str:
        """Publish a file; return its sha256."""
        data = content.encode() if isinstance(content, str) else content
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return hashlib.sha256(data).hexdigest()

    @property
    def upstream(self) -> Upstream:
        """Return the addresses that stand for GitHub and dl.k8s.io."""
        return Upstream(github=self.url, kubernetes=self.url)


class Handler(SimpleHTTPRequestHandler):
    """A file server without a log that counts, and fails where it is told to."""

    def __init__(self, *args: object, publisher: Publisher, **kwargs: object) -> None:
        self.publisher = publisher
        super().__init__(*args, directory=publisher.folder, **kwargs)

    def do_GET(self) -> None:
        path = self.path.removeprefix("/")
        self.publisher.asked[path] += 1
        if self.publisher.asked[path] <= self.publisher.failures.get(path, 0):
            self.send_error(503)
        else:
            super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    """Return a publisher that has nothing yet."""
    publisher = Publisher(folder=tmp_path / "published")
    publisher.folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, publisher=publisher)) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        publisher.url = f"http://127.0.0.1:{server.server_port}"
        yield publisher
        server.shutdown()
        thread.join()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Return a table with a comment and one row."""
    path = tmp_path / "table.yaml"
    row = f"{{name: k3s, version: v1.0.0+k3s1, architecture: amd64, url: k3s, sha256: {'d0' * 32}}}"
    path.write_text(f"# A comment that stays.\nartifacts:\n  - {row}\n")
    return path


@pytest.fixture
def pin(publisher: Publisher, table: Path) -> Callable[..., int]:
    """Return the command, asking the publisher on loopback and writing into the table."""

    def run(*arguments: str) -> int:
        downloader = Downloader(timeout_seconds=10, pause_seconds=0)
        return main(["--table", str(table), *arguments], upstream=publisher.upstream, downloader=downloader)

    return run


def _programs(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    folder.mkdir()
    for name, script in scripts.items():
        program = folder / name
        program.write_text(f"#!{sys.executable}\n{script}")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def without_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take cosign and gpg away, also on a machine that has them."""
    _programs(tmp_path / "programs", monkeypatch)


COSIGN = """
import hashlib, sys
from pathlib import Path
verb, blob, *rest = sys.argv[1:]
given = dict(zip(rest[::2], rest[1::2]))
said = Path(given["--certificate"]).read_text().split()
wanted = [given["--certificate-identity"], given["--certificate-oidc-issuer"]]
signed = Path(given["--signature"]).read_text()
if verb != "verify-blob" or said != wanted or signed != "signed " + hashlib.sha256(Path(blob).read_bytes()).hexdigest():
    sys.exit("Error: no matching signatures")
"""


@pytest.fixture
def cosign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a cosign whose certificates are `IDENTITY ISSUER` and whose signatures are `signed SHA256`."""
    _programs(tmp_path / "programs", monkeypatch, cosign=COSIGN)

"""The mirror and the apt cache, spoken to over HTTP on loopback."""

import hashlib
import http.client
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest

from lab.gateway.__main__ import Server
from lab.gateway.apt_cache import AptCacheHandler, PackageStore
from lab.gateway.mirror import MirrorHandler

CONTENT = bytes(range(256)) * 40


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[int]:
    """Serve on a free port of loopback."""
    with Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(port: int, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Return status, headers and body of one request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    result = answer.status, dict(answer.headers), answer.read()
    connection.close()
    return result


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[int]:
    """Serve a folder with one artifact, and a secret beside the folder."""
    artifacts = tmp_path / "artifacts"
    (artifacts / "k3s").mkdir(parents=True)
    (artifacts / "k3s" / "k3s").write_bytes(CONTENT)
    (tmp_path / "secret").write_text("secret")
    handler = type("Handler", (MirrorHandler,), {"directory": artifacts, "log_message": lambda *_: None})
    with serving(handler) as port:
        yield port


def test_an_artifact_comes_whole(mirror: int) -> None:
    status, headers, body = ask(mirror, "/k3s/k3s")
    assert (status, headers["Content-Length"], headers["Accept-Ranges"]) == (200, str(len(CONTENT)), "bytes")
    assert body == CONTENT


def test_head_has_no_body(mirror: int) -> None:
    status, headers, body = ask(mirror, "/k3s/k3s", "HEAD")
    assert (status, headers["Content-Length"], body) == (200, str(len(CONTENT)), b"")


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=100-", 100, len(CONTENT) - 1),
        ("bytes=100-199", 100, 199),
        ("bytes=10000-99999", 10000, len(CONTENT) - 1),
        ("bytes=-10", len(CONTENT) - 10, len(CONTENT) - 1),
    ],
)
def test_a_broken_download_goes_on(mirror: int, asked: str, first: int, last: int) -> None:
    status, headers, body = ask(mirror, "/k3s/k3s", Range=asked)
    assert (status, headers["Content-Range"]) == (206, f"bytes {first}-{last}/{len(CONTENT)}")
    assert body == CONTENT[first : last + 1]


def test_a_range_beyond_the_file_is_refused(mirror: int) -> None:
    status, headers, _ = ask(mirror, "/k3s/k3s", Range=f"bytes={len(CONTENT)}-")
    assert (status, headers["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")


def test_a_range_of_a_file_that_changed_is_the_whole_file(mirror: int) -> None:
    assert ask(mirror, "/k3s/k3s", Range="bytes=100-", If_Range='"another"')[0] == 200
    tag = ask(mirror, "/k3s/k3s", "HEAD")[1]["ETag"]
    assert ask(mirror, "/k3s/k3s", Range="bytes=100-", If_Range=tag)[0] == 206


@pytest.mark.parametrize("path", ["/none", "/k3s", "/", "/../secret", "/%2e%2e/secret", "/k3s/../../secret"])
def test_nothing_else_is_served(mirror: int, path: str) -> None:
    assert ask(mirror, path)[0] == 404


class Archive(SimpleHTTPRequestHandler):
    """A Debian archive that counts what it is asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[tuple[int, type[Archive], Path]]:
    """Serve an archive with one package and one index."""
    files = tmp_path / "archive"
    for path in ("debian/pool/p_1_all.deb", "debian/dists/bookworm/InRelease"):
        (files / path).parent.mkdir(parents=True)
        (files / path).write_bytes(CONTENT)
    handler = type("Counting", (Archive,), {"asked": [], "__init__": _in_folder(files)})
    with serving(handler) as port:
        yield port, handler, files


def _in_folder(files: Path):  # type: ignore[no-untyped-def]
    def init(self: SimpleHTTPRequestHandler, *args: object) -> None:
        SimpleHTTPRequestHandler.__init__(self, *args, directory=str(files))  # type: ignore[arg-type]

    return init


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[tuple[int, PackageStore]]:
    """Serve an apt cache that may ask loopback only."""
    store = PackageStore(tmp_path / "packages", frozenset({"127.0.0.1"}))
    handler = type("Handler", (AptCacheHandler,), {"store": store, "log_message": lambda *_: None})
    with serving(handler) as port:
        yield port, store


def test_a_package_is_fetched_once(archive, cache) -> None:
    url = f"http://127.0.0.1:{archive[0]}/debian/pool/p_1_all.deb"
    for _ in range(2):
        status, _, body = ask(cache[0], url)
        assert (status, hashlib.sha256(body).digest()) == (200, hashlib.sha256(CONTENT).digest())
    assert archive[1].asked == ["/debian/pool/p_1_all.deb"]


def test_an_index_is_asked_for_again_when_it_is_old_and_kept_when_the_archive_is_away(
    archive, cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{archive[0]}/debian/dists/bookworm/InRelease"
    assert ask(cache[0], url)[2] == CONTENT
    (archive[2] / "debian/dists/bookworm/InRelease").write_bytes(b"new")
    assert ask(cache[0], url)[2] == CONTENT
    monkeypatch.setattr("lab.gateway.apt_cache._INDEX_LIFE_SECONDS", 0)
    time.sleep(0.01)
    assert ask(cache[0], url)[2] == b"new"
    away = cache[1].directory / "127.0.0.1" / "debian/dists/bookworm/away"
    away.write_bytes(b"old copy")
    assert ask(cache[0], "http://127.0.0.1:9/debian/dists/bookworm/away")[2] == b"old copy"


def test_an_index_that_is_the_same_is_not_sent_again(archive, cache) -> None:
    url = f"http://127.0.0.1:{archive[0]}/debian/dists/bookworm/InRelease"
    modified = ask(cache[0], url)[1]["Last-Modified"]
    assert ask(cache[0], url, If_Modified_Since=modified)[0] == 304


def test_refusals_of_the_archive_are_passed_on(archive, cache) -> None:
    assert ask(cache[0], f"http://127.0.0.1:{archive[0]}/debian/pool/none.deb")[0] == 404
    assert ask(cache[0], "http://127.0.0.1:9/debian/pool/p.deb")[0] == 502


@pytest.mark.parametrize("url", ["http://example.com/x", "https://127.0.0.1/x", "/etc/passwd", "http://127.0.0.1/../x"])
def test_nothing_but_the_archives_is_reached(cache, url: str) -> None:
    assert ask(cache[0], url)[0] == 403


def test_a_fetch_that_breaks_leaves_no_file(cache, tmp_path: Path) -> None:
    class Short(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "100")
            self.end_headers()
            self.wfile.write(b"short")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Short) as port:
        assert ask(cache[0], f"http://127.0.0.1:{port}/debian/pool/p.deb")[0] == 502
    assert [name for _, _, names in os.walk(cache[1].directory) for name in names] == []

"""A picture by its address, through the endpoint."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.proxy.conftest import proxy_config, write_cards
from tests.proxy.fake_server import FakeServer
from tests.proxy.pictures import encoded, plain
from tests.proxy.running import RunningProxy, running

ADDRESS = {"content-type": "text/uri-list"}


@contextmanager
def files(folder: Path) -> Iterator[int]:
    """Serve a folder on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        del format, args


@pytest.fixture(scope="module")
def fetching(model_server: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningProxy, int]]:
    """Run a proxy that may fetch from `localhost`, and a server with a picture there."""
    folder = tmp_path_factory.mktemp("fetching")
    write_cards(folder)
    pixels = plain(64, 64)
    pixels[8:16, 16:24] = (0, 0, 255)
    (folder / "square.png").write_bytes(encoded(pixels))
    with files(folder) as port:
        addresses = {
            "allowed-hosts": ["localhost"],
            "allowed-schemes": ["http"],
            "allowed-ports": [port],
            "allowed-networks": ["127.0.0.0/8"],
        }
        config = {**proxy_config(model_server.address, ["detector"]), "addresses": addresses}
        with running(folder, config) as proxy:
            yield proxy, port


def test_the_picture_is_fetched_and_answered(fetching: tuple[RunningProxy, int]) -> None:
    proxy, port = fetching
    response = proxy.post("detector", content=f"http://localhost:{port}/square.png\n", headers=ADDRESS)
    assert [found["box"] for found in response.json()["detections"]] == [[16, 8, 24, 16]]
    assert "fetch;dur=" in response.headers["server-timing"]


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("http://127.0.0.1:{port}/square.png", "127.0.0.1"),
        ("http://localhost:{port}/none.png", "404"),
        ("file:///etc/passwd", "file"),
        ("", "0 addresses"),
    ],
)
def test_other_addresses_are_refused(fetching: tuple[RunningProxy, int], address: str, part: str) -> None:
    proxy, port = fetching
    response = proxy.post("detector", content=address.format(port=port), headers=ADDRESS)
    assert (response.status_code, response.json()["code"]) == (400, "invalid-address")
    assert part in response.json()["error"]


def test_nothing_is_fetched_unless_hosts_are_allowed(proxy: RunningProxy) -> None:
    response = proxy.post("detector", content="http://localhost:9/square.png", headers=ADDRESS)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported-content")
    assert "addresses > allowed-hosts" in response.json()["error"]

"""The proxy as a process: how it starts, loses and finds its servers, is left by clients, and stops."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.proxy.conftest import proxy_config, write_cards
from tests.proxy.fake_models import all_models
from tests.proxy.fake_server import FakeServer, serving, wait_until
from tests.proxy.pictures import photo
from tests.proxy.running import ROOT, RunningProxy, running

MEBIBYTE = 2**20


def resident_bytes(proxy: RunningProxy) -> int:
    """Return the process's resident memory."""
    pages = int(Path(f"/proc/{proxy.process.pid}/statm").read_text().split()[1])
    return pages * 4096


def test_it_starts_without_tensorflow_and_is_small(proxy: RunningProxy) -> None:
    maps = Path(f"/proc/{proxy.process.pid}/maps").read_text()
    assert "tensorflow" not in maps
    assert resident_bytes(proxy) < 150 * MEBIBYTE


def test_importing_the_server_imports_no_heavy_library() -> None:
    code = "import sys, proxy.server; print([name for name in ('tensorflow', 'torch', 'httpx') if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert result.stdout == "[]\n"


def test_a_server_that_is_down_is_a_503_and_found_again(tmp_path: Path) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
    with running(tmp_path, proxy_config(address, ["half"])) as proxy:
        response = proxy.post("half", json={"instances": [1]})
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        message = response.json()["error"]
        assert message.startswith("model server of 'half': UNAVAILABLE: ")
        assert message.endswith("Try again in a second; if it lasts, look at the model's pod and its log.")
        assert proxy.get("/readyz").status_code == 200
        with serving(all_models(), address):
            wait_until(lambda: proxy.post("half", json={"instances": [1]}).status_code == 200)
        assert proxy.post("half", json={"instances": [1]}).status_code == 503
        with serving(all_models(), address):
            wait_until(lambda: proxy.post("half", json={"instances": [1]}).status_code == 200)


def test_a_client_that_leaves_cancels_its_call(proxy: RunningProxy, model_server: FakeServer) -> None:
    model_server.hold.clear()
    model_server.cancelled.clear()
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{proxy.url}/v1/models/slow:predict", json={"instances": [1]}, timeout=0.5)
        assert model_server.held.acquire(timeout=5)
        assert model_server.cancelled.wait(timeout=3)
        wait_until(lambda: any(line.get("code") == "client-left" for line in proxy.read_log()))
    finally:
        model_server.hold.set()
    wait_until(lambda: "kubevc_proxy_in_flight 0.0" in proxy.get("/metrics").text)


def start_slow_request(proxy: RunningProxy, server: FakeServer, answers: list[httpx.Response]) -> threading.Thread:
    """Send a request that the model server holds."""
    server.hold.clear()

    def send() -> None:
        with contextlib.suppress(httpx.HTTPError):
            answers.append(proxy.post("slow", json={"instances": [1]}))

    thread = threading.Thread(target=send)
    thread.start()
    assert server.held.acquire(timeout=5)
    return thread


def refuses_connections(proxy: RunningProxy) -> bool:
    """Say whether the proxy takes no new connection; until then it answers that it is not ready."""
    try:
        assert proxy.get("/readyz").status_code in (200, 503)
    except httpx.TransportError:
        return True
    return False


def test_sigterm_lets_requests_in_flight_finish(tmp_path: Path) -> None:
    answers: list[httpx.Response] = []
    with serving(all_models()) as server, running(tmp_path, proxy_config(server.address, ["slow"])) as proxy:
        thread = start_slow_request(proxy, server, answers)
        proxy.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses_connections(proxy))
        assert any(line["event"] == "draining" for line in proxy.read_log())
        assert proxy.process.poll() is None
        server.hold.set()
        thread.join(timeout=10)
        assert proxy.process.wait(timeout=5) == 0
    assert [answer.json() for answer in answers] == [{"predictions": [1.0]}]


def test_new_requests_are_taken_while_it_lingers(tmp_path: Path) -> None:
    config = {**proxy_config("", ["half"]), "linger-seconds": 2}
    with serving(all_models()) as server:
        config["models"][0]["target"] = server.address
        with running(tmp_path, config) as proxy:
            proxy.process.send_signal(signal.SIGTERM)
            wait_until(lambda: proxy.get("/readyz").status_code == 503, 1)
            assert proxy.post("half", json={"instances": [1.0]}).json() == {"predictions": [2.5]}
            assert proxy.process.wait(timeout=10) == 0


def test_a_drain_ends_after_its_time(tmp_path: Path) -> None:
    answers: list[httpx.Response] = []
    config = {**proxy_config("", ["slow"]), "drain-seconds": 1, "deadline-seconds": 30}
    with serving(all_models()) as server:
        config["models"][0]["target"] = server.address
        with running(tmp_path, config) as proxy:
            thread = start_slow_request(proxy, server, answers)
            start = time.monotonic()
            proxy.process.send_signal(signal.SIGTERM)
            assert proxy.process.wait(timeout=10) == 0
            assert 0.9 < time.monotonic() - start < 5
            thread.join(timeout=10)
    assert [answer for answer in answers if answer.status_code == 200] == []


def test_memory_does_not_grow_with_requests(tmp_path: Path) -> None:
    picture = photo("coffee.png")
    write_cards(tmp_path)
    with serving(all_models()) as server, running(tmp_path, proxy_config(server.address, ["detector"])) as proxy:
        url, headers = f"{proxy.url}/v1/models/detector:predict", {"content-type": "image/png"}
        with httpx.Client() as client:
            for _ in range(100):
                assert client.post(url, content=picture, headers=headers).status_code == 200
            before = resident_bytes(proxy)
            for _ in range(300):
                assert client.post(url, content=picture, headers=headers).status_code == 200
        assert resident_bytes(proxy) - before < 10 * MEBIBYTE

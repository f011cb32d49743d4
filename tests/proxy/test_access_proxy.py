"""The proxy as a process with everything that access can be made of."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from proxy.access.keys import new_key
from tests.proxy.access_server import client_context, issue
from tests.proxy.conftest import proxy_config
from tests.proxy.fake_server import FakeServer
from tests.proxy.running import RunningProxy, running
from tests.proxy.test_access_keys import bearer, write_keys

KEY, LIMITED, SLOW = new_key().text, new_key().text, new_key().text
ROW = {"instances": [1]}


@pytest.fixture(scope="module")
def guarded(model_server: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """Run a proxy that asks for keys."""
    folder = tmp_path_factory.mktemp("guarded")
    slow = "rate-limit: {requests-per-second: 0.01, burst-requests: 1}"
    write_keys(folder / "keys.yaml", (KEY, "phone", ""), (LIMITED, "camera", "models: [plain]"), (SLOW, "slow", slow))
    access = {
        "keys-file": "keys.yaml",
        "open-metrics": False,
        "cors": {"allowed-origins": ["https://app.example.org"]},
    }
    config = {**proxy_config(model_server.address, ["half"]), "access": access}
    with running(folder, config) as process:
        yield process


def test_routes_with_and_without_a_key(guarded: RunningProxy) -> None:
    assert guarded.post("half", json=ROW, headers=bearer(KEY)).json() == {"predictions": [2.5]}
    for path in ("/healthz", "/readyz"):
        assert guarded.get(path).status_code == 200
    for path in ("/metrics", "/v1/models/half", "/v1/models/half/metadata", "/none"):
        assert guarded.get(path).status_code == 401
    assert httpx.get(f"{guarded.url}/metrics", headers=bearer(KEY)).status_code == 200


@pytest.mark.parametrize(
    ("key", "model", "status", "code"),
    [
        (None, "half", 401, "unauthenticated"),
        (new_key().text, "half", 401, "unauthenticated"),
        (LIMITED, "half", 403, "forbidden"),
        # Not even whether a model exists is told to a key for others.
        (LIMITED, "none", 403, "forbidden"),
        (KEY, "none", 404, "unknown-model"),
    ],
)
def test_refusals_have_the_form_of_all_errors(
    guarded: RunningProxy, key: str | None, model: str, status: int, code: str
) -> None:
    answer = guarded.post(model, json=ROW, headers=bearer(key) if key else {})
    document = answer.json()
    assert (answer.status_code, document["status"], document["code"]) == (status, status, code)
    assert document["request_id"] == answer.headers["x-request-id"]
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_a_refusal_comes_before_the_body(guarded: RunningProxy) -> None:
    address = httpx.URL(guarded.url)
    head = b"POST /v1/models/half:predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n"
    with socket.create_connection((address.host, address.port), timeout=5) as connection:
        connection.sendall(head)
        assert connection.recv(4096).startswith(b"HTTP/1.1 401 ")


def test_a_rate_limit(guarded: RunningProxy) -> None:
    first, second = (guarded.post("half", json=ROW, headers=bearer(SLOW)) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 429)
    assert first.headers["ratelimit"] == '"client";r=0;t=100'
    assert int(second.headers["retry-after"]) > 90


def test_sockets(guarded: RunningProxy) -> None:
    url = guarded.url.replace("http", "ws") + "/v1/models/half/stream"
    own, allowed, other = guarded.url, "https://app.example.org", "https://elsewhere.example.org"
    key: Any = {"subprotocols": ["kubevc.v1", f"kubevc.bearer.{KEY}"]}
    for options in ({}, {"origin": other, **key}):
        with connect(url, proxy=None, **options) as opened, pytest.raises(ConnectionClosed):
            opened.recv(timeout=5)
            opened.recv(timeout=5)
    for origin in (None, own, allowed):
        with connect(url, proxy=None, origin=origin, **key) as opened:
            assert opened.subprotocol == "kubevc.v1"
            opened.send(b"no picture")
            assert '"frame":1' in str(opened.recv(timeout=5)).replace(" ", "")


def test_logs_name_clients_and_nothing_shows_a_key(guarded: RunningProxy) -> None:
    guarded.post("half", json=ROW, headers=bearer(KEY))
    guarded.post("half", json=ROW, headers=bearer("not-a-key-of-anybody"))
    log = repr(guarded.read_log())
    metrics = httpx.get(f"{guarded.url}/metrics", headers=bearer(KEY)).text
    assert 'kubevc_proxy_key_requests_total{key="phone",outcome="admitted"}' in metrics
    assert "'phone'" in log
    for text in (log, metrics):
        assert not any(secret in text for secret in (KEY, LIMITED, SLOW, "not-a-key-of-anybody"))


def test_heads_are_bounded(guarded: RunningProxy) -> None:
    answer = guarded.post("half", json=ROW, headers={"x-long": "a" * 40_000})
    assert (answer.status_code, answer.json()["code"]) == (431, "head-too-large")


def test_certificates(model_server: FakeServer, tmp_path: Path) -> None:
    authority, server = issue(tmp_path, "ca", authority=True), issue(tmp_path, "server")
    phone = issue(tmp_path, "phone", by=authority)
    tls = {"certificate-file": "server.crt", "private-key-file": "server.key", "client-ca-file": "ca.crt"}
    with running(tmp_path, {**proxy_config(model_server.address, ["half"]), "tls": tls}) as proxy:
        url = proxy.url.replace("127.0.0.1", "localhost")
        assert url.startswith("https://")
        with httpx.Client(base_url=url, verify=client_context(server, phone)) as client:
            assert client.post("/v1/models/half:predict", json=ROW).status_code == 200
        with httpx.Client(base_url=url, verify=client_context(server)) as client:
            assert client.get("/healthz").status_code == 200
            assert client.post("/v1/models/half:predict", json=ROW).status_code == 401


@pytest.mark.parametrize(
    "section",
    [
        {"access": {"keys-file": "none.yaml"}},
        {"access": {"oidc": {"issuer": "http://issuer.example.org", "audience": "a"}}},
        {"tls": {"certificate-file": "none.crt", "private-key-file": "none.key"}},
    ],
    ids=["keys", "issuer", "certificate"],
)
def test_it_does_not_start_with_what_it_cannot_use(tmp_path: Path, section: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="did not start"), running(tmp_path, {**proxy_config("", []), **section}):
        pass

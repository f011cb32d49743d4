"""Every way to ask for what cannot be answered, over HTTP: status, code, message and the one form of all errors."""

from __future__ import annotations

import gzip
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.proxy.fake_server import FakeServer
from tests.proxy.pictures import encoded, photo, photo_as_jpeg, plain, png_header
from tests.proxy.running import RunningProxy

JPEG = {"content-type": "image/jpeg"}
PNG = {"content-type": "image/png"}
JSON = {"content-type": "application/json"}


def refused(response: httpx.Response, status: int, code: str) -> str:
    """Check the form of an error and return its message."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    answer = response.json()
    assert set(answer) == {"error", "status", "code", "request_id"}
    assert (answer["status"], answer["code"]) == (status, code)
    assert answer["request_id"] == response.headers["x-request-id"]
    return answer["error"]


@pytest.mark.parametrize(
    ("content", "status", "code", "part"),
    [
        (b"Dear model,\n", 400, "invalid-picture", "12 bytes that begin like no JPEG, PNG or WebP file"),
        (b"", 400, "invalid-picture", "no bytes at all"),
        (encoded(plain(1, 1)), 400, "invalid-picture", "a PNG of 1 x 1 pixels"),
        (png_header(20_000, 20_000), 413, "picture-too-large", "a PNG of 20000 x 20000 pixels"),
        (photo_as_jpeg("coffee.png")[:9000], 400, "invalid-picture", "cut off or damaged"),
    ],
    ids=["text", "empty", "one-pixel", "huge", "truncated"],
)
@pytest.mark.parametrize("as_form", [False, True], ids=["body", "form"])
def test_pictures(proxy: RunningProxy, content: bytes, status: int, code: str, part: str, as_form: bool) -> None:
    sent: dict[str, Any] = (
        {"files": {"picture": ("p.jpg", content)}} if as_form else {"content": content, "headers": JPEG}
    )
    assert part in refused(proxy.post("detector", **sent), status, code)


@pytest.mark.parametrize(
    ("model", "document", "code", "part"),
    [
        ("half", b'{"instances": [1', "invalid-json", "no JSON ("),
        ("half", b'{"instances": ' + b"[" * 5000 + b"]" * 5000 + b"}", "invalid-json", "no JSON ("),
        ("half", b"[1]", "invalid-json", "a JSON list"),
        ("half", b'{"instances": [NaN]}', "invalid-json", "no JSON ("),
        ("half", b'{"instances": [[1.0]]}', "invalid-tensor", "shape [1, 1]. The model takes shape [?]"),
        ("half", b'{"instances": ["a"]}', "invalid-tensor", "values that are not all numbers"),
        (
            "pair",
            b'{"inputs": {"a": [[1.5, 2]], "b": [1]}}',
            "invalid-tensor",
            "The model takes values of type DT_INT32",
        ),
        ("pair", b'{"instances": [{"a": [1, 2]}]}', "invalid-tensor", "takes 'a', 'b'"),
        ("detector", b'{"instances": [[[1]]]}', "invalid-tensor", "The model takes shape [1, 3, 64, 64]"),
        ("uneven", b'{"instances": [1]}', "invalid-tensor", "different numbers of rows: 'a' [2], 'b' [3]"),
    ],
)
def test_json(proxy: RunningProxy, model: str, document: bytes, code: str, part: str) -> None:
    assert part in refused(proxy.post(model, content=document, headers=JSON), 400, code)


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({"content-type": "text/csv"}, "header Content-Type: 'text/csv'"),
        ({"content-type": "application/xml"}, "Send application/json, application/x-npy, image/jpeg,"),
        ({"content-type": "multipart/form-data"}, "header Content-Type: 'multipart/form-data'"),
        (
            {"content-type": "image/jpeg", "content-encoding": "br"},
            "header Content-Encoding: 'br'. The proxy unpacks gzip and deflate",
        ),
    ],
)
def test_content_types(proxy: RunningProxy, headers: dict[str, str], part: str) -> None:
    assert part in refused(proxy.post("detector", content=b"x", headers=headers), 415, "unsupported-content")


@pytest.mark.parametrize(
    ("content", "status", "code", "part"),
    [
        (b"no gzip", 400, "invalid-compression", "incorrect header check"),
        (gzip.compress(b'{"instances": [1.0]}')[:-5], 400, "invalid-compression", "it is cut off"),
        (gzip.compress(b"{}") + b"more", 400, "invalid-compression", "bytes after its end"),
        (gzip.compress(bytes(3 * 1024 * 1024)), 413, "body-too-large", "unpack to more than 2097152"),
    ],
    ids=["none", "cut-off", "longer", "bomb"],
)
def test_packed_bodies(proxy: RunningProxy, content: bytes, status: int, code: str, part: str) -> None:
    sent = {"content": content, "headers": {**JSON, "content-encoding": "gzip"}}
    assert part in refused(proxy.post("half", **sent), status, code)


def test_a_picture_for_a_model_without_a_card(proxy: RunningProxy) -> None:
    response = proxy.post("half", content=encoded(plain(64, 64)), headers=PNG)
    assert refused(response, 415, "unsupported-content") == (
        "header Content-Type: a picture for 'half'. This model has no card that says how a picture becomes its input. "
        "Send JSON tensors, or give the model a card with the section input (model.yaml)."
    )


def test_a_card_that_does_not_fit_its_model(proxy: RunningProxy) -> None:
    response = proxy.post("other-shape", content=encoded(plain(64, 64)), headers=PNG)
    message = refused(response, 500, "card-mismatch")
    assert message.startswith("model card of 'other-shape' > input > layout and size: the card says [1, 4, 4, 3], ")


@pytest.mark.parametrize(
    ("body", "part"),
    [
        (b"", "a form without a file"),
        (b"--B\r\n", "a form that is cut off"),
        (b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nhalf a fi', "a form that is cut off"),
        (b"no form at all", "a broken form ("),
    ],
)
def test_forms(proxy: RunningProxy, body: bytes, part: str) -> None:
    headers = {"content-type": "multipart/form-data; boundary=B"}
    assert part in refused(proxy.post("detector", content=body, headers=headers), 400, "invalid-picture")


@pytest.mark.parametrize("value", ["soon", "0", "-1", "nan", ""])
def test_timeouts_that_are_none(proxy: RunningProxy, value: str) -> None:
    response = proxy.post("half", json={"instances": [1]}, headers={"x-request-timeout": value})
    assert "header X-Request-Timeout" in refused(response, 400, "invalid-header")


def test_unknown_model(proxy: RunningProxy) -> None:
    message = refused(proxy.post("nope", json={"instances": [1]}), 404, "unknown-model")
    assert message.startswith("request path: the model 'nope'. The proxy is configured with absent, broken-detector,")
    refused(proxy.get("/v1/models/nope"), 404, "unknown-model")
    refused(proxy.get("/v1/models/nope/metadata"), 404, "unknown-model")


def test_a_model_that_the_server_does_not_have(proxy: RunningProxy) -> None:
    message = refused(proxy.post("absent", json={"instances": [1]}), 404, "model-server")
    assert message == (
        "model server of 'absent': NOT_FOUND: Servable not found for request: Latest(absent). "
        "The model server has no such model or version. Look at GET /v1/models/absent; it may still be loading."
    )
    refused(proxy.get("/v1/models/absent"), 404, "model-server")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/v1/models/half:predict", 404),
        ("DELETE", "/v1/models/half", 405),
        ("POST", "/healthz", 405),
        ("POST", "/v1/models/half:explain", 405),
    ],
)
def test_unknown_routes(proxy: RunningProxy, method: str, path: str, status: int) -> None:
    response = httpx.request(method, f"{proxy.url}{path}")
    code = "unknown-model" if path.endswith(":predict") else "unknown-route"
    refused(response, status, code)


@pytest.mark.parametrize(
    ("number", "status"),
    [(1, 499), (2, 500), (3, 400), (4, 504), (5, 404), (6, 409), (7, 403), (8, 429), (9, 400), (10, 409), (11, 400),
     (12, 501), (13, 500), (14, 503), (15, 500), (16, 401)],
)  # fmt: skip
def test_statuses_are_those_of_tensorflow_serving(proxy: RunningProxy, number: int, status: int) -> None:
    response = proxy.post("failing", json={"inputs": number})
    assert "the model failed on purpose" in refused(response, status, "model-server")
    assert ("retry-after" in response.headers) == (status in (429, 503))


def test_an_answer_that_is_not_numbers(proxy: RunningProxy) -> None:
    response = proxy.post("broken-detector", content=photo("coffee.png"), headers=PNG)
    assert "values are not numbers (NaN)" in refused(response, 502, "invalid-answer")


def test_a_body_that_announces_to_be_too_large(proxy: RunningProxy) -> None:
    message = refused(proxy.post("detector", content=bytes(3 * 2**20), headers=JPEG), 413, "body-too-large")
    assert message == (
        "request body: 3145728 bytes announced. The limit is 2 MiB (limits > max-body-mib). "
        "Send a smaller picture or fewer examples at once; JPEG takes far fewer bytes than JSON numbers."
    )


def test_a_body_that_turns_out_to_be_too_large(proxy: RunningProxy) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(24):
            yield bytes(2**17)

    message = refused(proxy.post("detector", content=chunks(), headers=JPEG), 413, "body-too-large")
    assert "more than 2097152 bytes" in message


def test_a_body_that_does_not_come_in_time(proxy: RunningProxy) -> None:
    address = httpx.URL(proxy.url)
    head = "POST /v1/models/half:predict HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    with socket.create_connection((address.host, address.port)) as connection:
        connection.settimeout(10)
        connection.sendall(f"{head}content-length: 100\r\nx-request-timeout: 0.3\r\n\r\n{{".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 408 ")


def test_more_at_once_than_there_are_places(proxy: RunningProxy, model_server: FakeServer) -> None:
    model_server.hold.clear()
    answers: list[httpx.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(proxy.post("slow", json={"instances": [1]}))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert model_server.held.acquire(timeout=10)
    try:
        response = proxy.post("half", json={"instances": [1]})
        message = refused(response, 503, "busy")
        assert message == (
            "endpoint proxy: 4 requests in flight and 0 waiting already. "
            "More at once would make each of them slower (limits > max-in-flight, max-waiting). Try again in a second."
        )
        assert response.headers["retry-after"] == "1"
        assert proxy.get("/readyz").status_code == 200
    finally:
        model_server.hold.set()
        for thread in threads:
            thread.join(timeout=20)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert proxy.post("half", json={"instances": [1]}).status_code == 200


def test_a_model_that_takes_longer_than_the_deadline(proxy: RunningProxy, model_server: FakeServer) -> None:
    model_server.hold.clear()
    model_server.cancelled.clear()
    try:
        response = proxy.post("slow", json={"instances": [1]}, headers={"x-request-timeout": "0.3"})
        assert model_server.held.acquire(timeout=5)
        assert response.status_code == 504
        assert response.json()["code"] in ("deadline-exceeded", "model-server")
        assert model_server.cancelled.wait(timeout=5)
    finally:
        model_server.hold.set()


def test_nothing_of_a_payload_is_in_the_log(proxy: RunningProxy) -> None:
    secret = "a-very-private-word"
    proxy.post("words", json={"instances": [secret]})
    proxy.post("half", json={"instances": [secret]})
    proxy.post("half", content=f'{{"instances": [{secret}'.encode(), headers=JSON)
    proxy.post("detector", content=secret.encode(), headers=JPEG)
    assert secret not in repr(proxy.read_log())

"""Live frames over a WebSocket, as a camera sends them."""

from __future__ import annotations

import json

import pytest
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection, connect

from tests.proxy.fake_server import FakeServer
from tests.proxy.pictures import encoded, plain
from tests.proxy.running import RunningProxy


def opened(proxy: RunningProxy, model: str, query: str = "") -> ClientConnection:
    """Open a stream of frames for a model."""
    return connect(f"{proxy.url.replace('http', 'ws')}/v1/models/{model}/stream{query}", open_timeout=10)


def red_square() -> bytes:
    """Return a picture on which the detector finds one thing."""
    pixels = plain(64, 64)
    pixels[8:16, 16:24] = (0, 0, 255)
    return encoded(pixels)


def test_each_frame_is_answered_under_its_number(proxy: RunningProxy) -> None:
    with opened(proxy, "detector") as stream:
        for number in (1, 2, 3):
            stream.send(red_square())
            answer = json.loads(stream.recv(timeout=10))
            assert answer["frame"] == number
            assert [found["box"] for found in answer["detections"]] == [[16, 8, 24, 16]]
            assert answer["milliseconds"]["decode"] > 0


def test_a_broken_frame_is_an_error_and_the_stream_goes_on(proxy: RunningProxy) -> None:
    with opened(proxy, "detector") as stream:
        stream.send(b"no picture")
        answer = json.loads(stream.recv(timeout=10))
        assert (answer["frame"], answer["status"], answer["code"]) == (1, 400, "invalid-picture")
        stream.send(red_square())
        assert json.loads(stream.recv(timeout=10))["frame"] == 2


@pytest.mark.parametrize(
    ("model", "query", "code"), [("nobody", "", "unknown-model"), ("detector", "?colour=red", "invalid-query")]
)
def test_a_stream_that_cannot_be_says_why_and_ends(proxy: RunningProxy, model: str, query: str, code: str) -> None:
    with opened(proxy, model, query) as stream:
        assert json.loads(stream.recv(timeout=10))["code"] == code
        with pytest.raises(ConnectionClosedError) as closed:
            stream.recv(timeout=10)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1008, code)


def test_frames_faster_than_the_model_are_left_out(proxy: RunningProxy, model_server: FakeServer) -> None:
    model = model_server.models["detector"]
    first_seen, compute = [], model.compute

    def slowly(arrays):
        first_seen.append(True)
        model_server.hold.wait(timeout=10)
        return compute(arrays)

    model_server.hold.clear()
    model.compute = slowly
    try:
        with opened(proxy, "detector") as stream:
            for _ in range(20):
                stream.send(red_square())
            stream.ping().wait(timeout=10)
            model_server.hold.set()
            numbers = [json.loads(stream.recv(timeout=10))["frame"]]
            while numbers[-1] != 20:
                numbers.append(json.loads(stream.recv(timeout=10))["frame"])
    finally:
        model.compute = compute
        model_server.hold.set()
    assert numbers == sorted(numbers)
    assert len(numbers) < 20

"""What an endpoint answers in the form that Accept asks for, to one picture and to several."""

from __future__ import annotations

import json
from typing import Any

import cv2
import numpy as np
import pytest

from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictResponse
from tests.proxy.pictures import encoded, plain
from tests.proxy.running import RunningProxy

PNG = {"content-type": "image/png"}


def square(x: int, y: int) -> bytes:
    """Return a picture of 64 x 64 pixels with a red square on it."""
    pixels = plain(64, 64)
    pixels[y : y + 8, x : x + 8] = (0, 0, 255)
    return encoded(pixels)


def parts(*pictures: bytes) -> dict[str, Any]:
    """Return a form with pictures."""
    return {"files": [("picture", (f"{number}.png", data, "image/png")) for number, data in enumerate(pictures)]}


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("image/*;q=0.5, application/json", "application/json"),
        ("image/*", "image/png"),
        ("image/jpeg, image/png;q=0.9", "image/jpeg"),
        ("text/html, image/jpeg;q=0.8", "image/jpeg"),
        ("application/json;q=0, */*;q=0.1, image/png", "image/png"),
    ],
)
def test_the_likeliest_form_that_is_accepted(proxy: RunningProxy, accept: str, media_type: str) -> None:
    response = proxy.post("detector", content=square(8, 8), headers={**PNG, "accept": accept})
    assert (response.status_code, response.headers["content-type"]) == (200, media_type)


@pytest.mark.parametrize(
    ("accept", "part"),
    [
        ("text/html", "'text/html'. The proxy writes none of these"),
        ("application/x-protobuf;q=x", "writes none of these"),
    ],
)
def test_nothing_that_is_accepted(proxy: RunningProxy, accept: str, part: str) -> None:
    response = proxy.post("detector", content=square(8, 8), headers={**PNG, "accept": accept})
    assert (response.status_code, response.json()["code"]) == (406, "not-acceptable")
    assert part in response.json()["error"]


def test_tensors_cannot_be_drawn(proxy: RunningProxy) -> None:
    response = proxy.post("half", json={"instances": [1.0]}, headers={"accept": "image/png"})
    assert response.status_code == 406
    assert "can be written as application/json" in response.json()["error"]


def test_what_was_found_is_drawn_on_the_picture(proxy: RunningProxy) -> None:
    pixels = plain(64, 64)
    pixels[40:48, 16:24] = (0, 0, 255)
    response = proxy.post("detector", content=encoded(pixels), headers={**PNG, "accept": "image/png"})
    drawn = cv2.imdecode(np.frombuffer(response.content, np.uint8), cv2.IMREAD_COLOR)
    assert drawn.shape == pixels.shape
    changed = np.argwhere((drawn != pixels).any(axis=2))
    assert len(changed) > 20
    # The lower edge of the box is where the square ends, and nothing is drawn below it.
    assert changed[:, 0].max() in (47, 48, 49)


def test_raw_protobuf_holds_the_plain_outputs(proxy: RunningProxy) -> None:
    response = proxy.post("detector", content=square(8, 8), headers={**PNG, "accept": "application/x-protobuf"})
    answer = PredictResponse.FromString(response.content)
    assert answer.model_spec.name == "detector"
    assert answer.model_spec.version.value == 1
    assert set(answer.outputs) == {f"{kind}{stride}" for kind in ("scores", "sides") for stride in (8, 16, 32)}


def test_plain_tensors_for_a_picture_on_request(proxy: RunningProxy) -> None:
    response = proxy.post("classifier:predict?answer=tensors", content=square(8, 8), headers=PNG)
    assert set(response.json()["outputs"]) == {"probabilities"}


def test_several_pictures_are_answered_in_their_order(proxy: RunningProxy) -> None:
    answer = proxy.post("detector", **parts(square(8, 8), square(16, 32), square(56, 0))).json()
    assert answer["model"] == "detector"
    assert [picture["file"] for picture in answer["pictures"]] == ["0.png", "1.png", "2.png"]
    boxes = [picture["detections"][0]["box"] for picture in answer["pictures"]]
    assert boxes == [[8, 8, 16, 16], [16, 32, 24, 40], [56, 0, 64, 8]]


def test_one_bad_picture_among_several_is_named(proxy: RunningProxy) -> None:
    response = proxy.post("detector", **parts(square(8, 8), b"nothing to see", square(8, 8)))
    assert (response.status_code, response.json()["code"]) == (400, "invalid-picture")
    assert response.json()["error"].startswith("part 2 > picture in the request body: 14 bytes")


def test_too_many_pictures_are_refused(proxy: RunningProxy) -> None:
    response = proxy.post("detector", **parts(*[square(8, 8)] * 33))
    assert (response.status_code, response.json()["code"]) == (400, "invalid-picture")
    assert "32" in response.json()["error"]


def test_lines_come_one_for_each_picture(proxy: RunningProxy) -> None:
    response = proxy.post("detector", **parts(square(8, 8), square(16, 32)), headers={"accept": "application/x-ndjson"})
    assert response.headers["content-type"] == "application/x-ndjson"
    *found, end = [json.loads(line) for line in response.text.splitlines()]
    assert [picture["file"] for picture in found] == ["0.png", "1.png"]
    assert end == {"end": {"frames": 2}}


def test_an_error_on_the_way_ends_the_events(proxy: RunningProxy) -> None:
    pictures = parts(square(8, 8), b"nothing to see")
    response = proxy.post("detector", **pictures, headers={"accept": "text/event-stream"})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    events = [event.split("\n", 1) for event in response.text.strip().split("\n\n")]
    assert [kind for kind, _ in events] == ["event: frame", "event: error"]
    error = json.loads(events[1][1].removeprefix("data: "))
    assert (error["status"], error["code"]) == (400, "invalid-picture")
    assert error["error"].startswith("part 2 > ")


def test_an_error_at_the_first_picture_keeps_its_status(proxy: RunningProxy) -> None:
    response = proxy.post("detector", **parts(b"no", b"no"), headers={"accept": "text/event-stream"})
    assert (response.status_code, response.json()["code"]) == (400, "invalid-picture")


@pytest.mark.parametrize(
    ("query", "part"),
    [
        ("colour=red", "query > colour: unknown key"),
        ("round=2&round=3", "query > round: it is given more than once"),
        ("round=-1", "query > round: Input should be greater than or equal to 0"),
        ("score_threshold=2", "query > score_threshold: Input should be less than or equal to 1"),
        ("top_k=3", "The decoder nanodet of the model's card has no such setting"),
        ("wire=encoded", "query > wire: 'encoded' for 'detector'"),
    ],
)
def test_options_that_are_none(proxy: RunningProxy, query: str, part: str) -> None:
    response = proxy.post(f"detector:predict?{query}", content=square(8, 8), headers=PNG)
    assert (response.status_code, response.json()["code"]) == (400, "invalid-query")
    assert part in response.json()["error"]


def test_thresholds_and_rounding_by_request(proxy: RunningProxy) -> None:
    found = proxy.post("detector:predict?round=1", content=square(8, 8), headers=PNG).json()["detections"]
    assert [one["score"] for one in found] == [0.9]
    none = proxy.post("detector:predict?score_threshold=0.95", content=square(8, 8), headers=PNG).json()
    assert none["detections"] == []
    one = proxy.post("classifier:predict?top_k=1", content=square(8, 8), headers=PNG).json()
    assert len(one["classifications"]) == 1

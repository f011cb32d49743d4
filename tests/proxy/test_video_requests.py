"""A video to the endpoint: its frames answered in one document, as lines or as events."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from tests.proxy.fake_server import wait_until
from tests.proxy.running import RunningProxy

MP4 = {"content-type": "video/mp4"}


@pytest.fixture(scope="module")
def video() -> bytes:
    """Return six seconds of video, ten frames a second, on which a red square moves to the right."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "video.mp4"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 64))
        for number in range(60):
            pixels = np.zeros((64, 64, 3), np.uint8)
            left = number // 10 * 8
            pixels[16:32, left : left + 16] = (0, 0, 255)
            writer.write(pixels)
        writer.release()
        return path.read_bytes()


def ask(proxy: RunningProxy, data: bytes, query: str = "", **headers: str) -> httpx.Response:
    """Send a video to the detector."""
    return proxy.post(f"detector:predict{query}", content=data, headers={**MP4, **headers})


def lefts(frames: list[dict[str, Any]]) -> list[float]:
    """Return where the leftmost box of each frame begins."""
    return [min(found["box"][0] for found in frame["detections"]) for frame in frames]


def test_one_frame_a_second_unless_asked_otherwise(proxy: RunningProxy, video: bytes) -> None:
    answer = ask(proxy, video).json()
    assert answer["model"] == "detector"
    assert [frame["frame"] for frame in answer["frames"]] == [0, 10, 20, 30, 40, 50]
    assert [frame["seconds"] for frame in answer["frames"]] == [0, 1, 2, 3, 4, 5]
    assert lefts(answer["frames"]) == [0, 8, 16, 24, 32, 40]


@pytest.mark.parametrize(("query", "count"), [("?frame_count=4", 4), ("?frames_per_second=2", 12)])
def test_as_many_frames_as_asked_for(proxy: RunningProxy, video: bytes, query: str, count: int) -> None:
    assert len(ask(proxy, video, query).json()["frames"]) == count


def test_lines_come_as_the_frames_are_looked_at(proxy: RunningProxy, video: bytes) -> None:
    url = f"{proxy.url}/v1/models/detector:predict"
    headers = {**MP4, "accept": "application/x-ndjson"}
    with httpx.stream("POST", url, content=video, headers=headers, timeout=30) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        *frames, end = [json.loads(line) for line in response.iter_lines()]
    assert lefts(frames) == [0, 8, 16, 24, 32, 40]
    assert end == {"end": {"frames": 6}}


def test_events_name_themselves(proxy: RunningProxy, video: bytes) -> None:
    response = ask(proxy, video, "?frame_count=2", accept="text/event-stream")
    kinds = [line for line in response.text.splitlines() if line.startswith("event: ")]
    assert kinds == ["event: frame", "event: frame", "event: end"]


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [(b"no video", 400, "invalid-video"), (b"", 400, "invalid-video"), (bytes(3_000_000), 413, "body-too-large")],
    ids=["none", "empty", "large"],
)
def test_what_is_no_video(proxy: RunningProxy, data: bytes, status: int, code: str) -> None:
    for accept in ("application/json", "application/x-ndjson"):
        response = ask(proxy, data, accept=accept)
        assert (response.status_code, response.json()["code"]) == (status, code)


def test_a_sender_that_leaves_ends_the_decoding(proxy: RunningProxy, video: bytes) -> None:
    url = f"{proxy.url}/v1/models/detector:predict?frames_per_second=10"
    headers = {**MP4, "accept": "application/x-ndjson"}
    with httpx.stream("POST", url, content=video, headers=headers, timeout=30) as response:
        assert next(response.iter_lines())
    children = Path(f"/proc/{proxy.process.pid}/task/{proxy.process.pid}/children")
    wait_until(lambda: not children.read_text().strip())
    wait_until(lambda: "kubevc_proxy_in_flight 0.0" in proxy.get("/metrics").text)
    # Its place is free again, more often than there are places.
    for _ in range(10):
        assert ask(proxy, video, "?frame_count=1").status_code == 200


def test_a_video_cannot_be_drawn_or_given_as_npy(proxy: RunningProxy, video: bytes) -> None:
    for accept in ("image/png", "application/x-npy"):
        assert ask(proxy, video, accept=accept).status_code == 406

"""The smoke request: run as the site runs it, against good and bad endpoints."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from proxy.errors import SmokeFailed
from proxy.smoke_answer import check_answer
from tests.proxy.pictures import encoded, plain
from tests.proxy.running import ROOT, RunningProxy


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the smoke program."""
    command = [sys.executable, "-m", "proxy.smoke", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Write a picture with one red square."""
    pixels = plain(128, 128)
    pixels[32:64, 64:96] = (0, 0, 255)
    path = tmp_path / "square.png"
    path.write_bytes(encoded(pixels))
    return path


def test_the_answer_is_printed_and_drawn(proxy: RunningProxy, picture: Path) -> None:
    drawn = picture.with_name("drawn.png")
    result = run(
        "--endpoint", f"{proxy.url}/", "--model", "detector", "--picture", str(picture), "--annotated", str(drawn)
    )
    assert result.returncode == 0, result.stderr
    answer = json.loads(result.stdout)
    assert answer["detections"][0]["label"] == "red"
    assert answer["annotated"] == str(drawn)
    before, after = cv2.imread(str(picture)), cv2.imread(str(drawn))
    assert after.shape == before.shape
    assert not np.array_equal(before, after)


def test_a_classifier_is_smoked_as_well(proxy: RunningProxy, picture: Path) -> None:
    result = run("--endpoint", proxy.url, "--model", "classifier", "--picture", str(picture))
    assert [found["label"] for found in json.loads(result.stdout)["classifications"]] == ["red", "green"]


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("nope", "status 404: request path: the model 'nope'"),
        ("broken-detector", "status 502: answer of the model server"),
        ("half", "status 415: header Content-Type: a picture for 'half'"),
        ("pixels", "answer: the keys ['model', 'outputs', 'version']"),
    ],
)
def test_a_failure_says_where_and_what(proxy: RunningProxy, picture: Path, model: str, found: str) -> None:
    result = run("--endpoint", proxy.url, "--model", model, "--picture", str(picture))
    assert result.returncode == 1
    assert found in result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == ""


def test_it_waits_as_long_as_it_is_told(picture: Path) -> None:
    endpoint = ("--endpoint", "http://127.0.0.1:9", "--model", "detector", "--picture", str(picture))
    result = run(*endpoint, "--wait-seconds", "1")
    assert result.returncode == 1
    assert result.stderr == (
        "smoke request to http://127.0.0.1:9/v1/models/detector:predict: "
        "no connection ([Errno 111] Connection refused) (tried for 1 s). "
        "The site is up only when a real picture is answered. "
        "Look at the pods in the namespace serving (kubectl get pods, kubectl logs), then run this again.\n"
    )


def test_a_file_that_is_no_picture_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("Hello")
    for name, found in (("text.png", "5 bytes that begin like no"), ("none.png", "it cannot be read (No such")):
        result = run("--endpoint", "http://127.0.0.1:9", "--model", "detector", "--picture", str(tmp_path / name))
        assert result.returncode == 1
        assert found in result.stderr


GOOD: dict[str, Any] = {
    "detections": [{"label": "cup", "class": 41, "score": 0.5, "box": [1, 2, 3, 4]}],
    "image": {"width": 10, "height": 8},
}


def test_a_good_answer_passes() -> None:
    check_answer(GOOD, plain(10, 8))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"detections": []}, "answer > detections"),
        ({"detections": None}, "answer > detections"),
        ({"image": {"width": 8, "height": 10}}, "answer > image"),
        ({"label": None}, "answer > detections > 0 > label"),
        ({"label": ""}, "answer > detections > 0 > label"),
        ({"score": 1.5}, "answer > detections > 0 > score"),
        ({"score": None}, "answer > detections > 0 > score"),
        ({"box": [1, 2, 11, 4]}, "answer > detections > 0 > box"),
        ({"box": [3, 2, 1, 4]}, "answer > detections > 0 > box"),
        ({"box": [-1, 2, 3, 4]}, "answer > detections > 0 > box"),
        ({"box": [1, 2, 3, None]}, "answer > detections > 0 > box"),
        ({"box": [1, 2, 3]}, "answer > detections > 0 > box"),
    ],
)
def test_an_answer_that_cannot_be_right_is_refused(change: dict[str, Any], where: str) -> None:
    answer = {**GOOD, **{key: value for key, value in change.items() if key in GOOD}}
    entry = {key: value for key, value in change.items() if key not in GOOD}
    if entry:
        answer["detections"] = [{**GOOD["detections"][0], **entry}]
    with pytest.raises(SmokeFailed) as failure:
        check_answer(answer, plain(10, 8))
    assert failure.value.where == where

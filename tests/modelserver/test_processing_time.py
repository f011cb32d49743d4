"""What the server says of its own time, so that a client can tell the way from the work."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from protos.stubs.tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from tests.modelserver.conftest import Start
from tests.modelserver.running import AVAILABLE, Client, eventually, predict_request, spec_of


@pytest.fixture
def slow(models: Path, start: Start) -> Client:
    """A client of a server whose model takes a while."""
    _, client = start(model_name="slow", model_base_path=str(models / "slow"))
    eventually(lambda: client.states("slow").get(1, (0, ""))[0] == AVAILABLE)
    return client


def told_seconds(call: Any) -> list[float]:
    """Return what the trailing metadata of a call say."""
    return [float(value) for name, value in call.trailing_metadata() if name == "x-processing-seconds"]


def test_an_answer_tells_how_long_the_server_needed(slow: Client) -> None:
    needed = []
    for rows in (1, 400):
        begun = time.perf_counter()
        request = predict_request(spec_of("slow"), x=np.ones((rows, 1024), np.float32))
        _, call = slow.prediction.Predict.with_call(request, timeout=60)
        passed = time.perf_counter() - begun
        (seconds,) = told_seconds(call)
        assert 0 < seconds < passed
        needed.append(seconds)
    assert needed[0] < needed[1]


def test_a_refusal_tells_nothing(slow: Client) -> None:
    requests = {
        slow.prediction.Predict: predict_request(spec_of("slow"), wrong=np.ones((1, 1024), np.float32)),
        slow.prediction.Classify: ClassificationRequest(model_spec=spec_of("slow")),
    }
    for method, request in requests.items():
        with pytest.raises(grpc.RpcError) as refusal:
            method(request, timeout=60)
        assert told_seconds(refusal.value) == []

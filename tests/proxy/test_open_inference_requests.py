"""The Open Inference Protocol through the endpoint, in JSON and with binary tensors."""

from __future__ import annotations

import json

import httpx
import numpy as np
import pytest

from tests.proxy.running import RunningProxy


def infer(proxy: RunningProxy, path: str, content: bytes, **headers: str) -> httpx.Response:
    """Send an infer request as Triton's own client does: without a content type."""
    return httpx.post(f"{proxy.url}/v2/models/{path}/infer", content=content, headers=headers, timeout=30)


def test_tensors_in_json(proxy: RunningProxy) -> None:
    inputs = [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]}]
    response = infer(proxy, "half", json.dumps({"id": "7", "inputs": inputs}).encode())
    assert response.json() == {
        "model_name": "half",
        "model_version": "1",
        "id": "7",
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [2], "data": [2.5, 3.0]}],
    }


def test_binary_tensors_both_ways(proxy: RunningProxy) -> None:
    array = np.arange(12, dtype=np.float32).reshape(3, 4)
    head = {
        "inputs": [
            {"name": "x", "shape": [3, 4], "datatype": "FP32", "parameters": {"binary_data_size": array.nbytes}}
        ],
        "parameters": {"binary_data_output": True},
    }
    text = json.dumps(head).encode()
    response = infer(proxy, "echo", text + array.tobytes(), **{"inference-header-content-length": str(len(text))})
    assert response.headers["content-type"] == "application/octet-stream"
    length = int(response.headers["inference-header-content-length"])
    (output,) = json.loads(response.content[:length])["outputs"]
    assert (output["name"], output["shape"], output["datatype"]) == ("x", [3, 4], "FP32")
    assert response.content[length:] == array.tobytes()


@pytest.mark.parametrize(
    ("path", "content", "status", "part"),
    [
        ("nobody", b"{}", 404, "the model 'nobody'"),
        ("half", b"no json", 400, "JSON"),
        ("half", b'{"inputs": []}', 400, "inputs"),
        ("half", b'{"inputs": [{"name": "z", "shape": [1], "datatype": "FP32", "data": [1]}]}', 400, "'z'"),
        ("half", b'{"inputs": [{"name": "x", "shape": [3], "datatype": "FP32", "data": [1]}]}', 400, "[3]"),
    ],
)
def test_errors_have_their_text_where_the_protocol_has_it(
    proxy: RunningProxy, path: str, content: bytes, status: int, part: str
) -> None:
    response = infer(proxy, path, content)
    assert response.status_code == status
    assert part in response.json()["error"]


def test_what_is_told_of_server_and_models(proxy: RunningProxy) -> None:
    assert "binary_tensor_data" in proxy.get("/v2").json()["extensions"]
    assert proxy.get("/v2/health/live").status_code == 200
    assert proxy.get("/v2/health/ready").status_code == 200
    model = proxy.get("/v2/models/pair").json()
    assert (model["name"], model["versions"]) == ("pair", ["1"])
    assert {"name": "a", "datatype": "INT32", "shape": [-1, 2]} in model["inputs"]
    assert proxy.get("/v2/models/pair/ready").json() == {"name": "pair", "ready": True}
    assert proxy.get("/v2/models/absent/ready").status_code == 404

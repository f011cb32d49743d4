"""What a client of TensorFlow Serving's REST API sees of the proxy: the same as of the model server behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.modelserver.conftest import models
from tests.modelserver.running import Client, eventually
from tests.modelserver.running import running as running_server
from tests.proxy.running import RunningProxy, running

__all__ = ["models"]

MODELS = ("add", "many", "classes")


@pytest.fixture(scope="module")
def both(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Client, RunningProxy]]:
    """Run a model server with its REST interface, and a proxy that asks it over gRPC."""
    folder = tmp_path_factory.mktemp("parity")
    entries = "".join(
        f'config {{ name: "{name}" base_path: "{models / name}" model_platform: "tensorflow" '
        "model_version_policy { all {} }"
        + (' version_labels { key: "stable" value: 1 }' if name == "add" else "")
        + " }\n"
        for name in MODELS
    )
    (folder / "models.config").write_text(f"model_config_list {{ {entries} }}")
    with running_server(f"--model_config_file={folder / 'models.config'}", "--runtime=openvino", rest=True) as (
        client,
        _,
    ):
        eventually(lambda: all(client.states(name) for name in MODELS), 120)
        target = f"127.0.0.1:{client.grpc_port}"
        config = {"models": [{"name": name, "target": target} for name in (*MODELS, "nobody")]}
        with running(folder, config) as proxy:
            yield client, proxy


POSTS = [
    ("add:predict", {"instances": [[1.0, 2.0], [3.0, 4.0]]}),
    ("add:predict", {"instances": [{"x": [1.0, 2.0]}]}),
    ("add:predict", {"inputs": [[1.0, 2.0]]}),
    ("add:predict", {"inputs": {"x": [[1, 2]]}}),
    ("add/versions/2:predict", {"instances": [[0.1, 1e-7]]}),
    ("add/labels/stable:predict", {"instances": [[0.1, 1e-7]]}),
    ("add:predict", {"signature_name": "serving_default", "instances": [[1.0, 2.0]]}),
    ("add:predict", {"instances": [[1.0, 2.0]], "a key of the client's own": 1}),
    ("many:predict", {"instances": [{"a": [1, 2, 3], "b": [2, 2, 2]}]}),
    ("many:predict", {"inputs": {"a": [[1, 2, 3]], "b": [[2, 2, 2]]}}),
    ("many:predict", {"signature_name": "picture", "instances": [[[[255, 255, 255]] * 2] * 2]}),
    ("many:predict", {"signature_name": "integers", "inputs": {"n": [1], "m": [3]}}),
    ("classes:classify", {"signature_name": "scores", "examples": [{"x": [1.0, 0.5]}, {"x": [0.0, 2.0]}]}),
    ("classes:regress", {"signature_name": "number", "examples": [{"x": [1.0, 0.5]}]}),
]
REFUSED = [
    ("add:predict", {}),
    ("add:predict", []),
    ("add:predict", {"instances": []}),
    ("add:predict", {"instances": [["a", "b"]]}),
    ("add:predict", {"instances": [[1.0, 2.0], [3.0]]}),
    ("add:predict", {"inputs": {"y": [[1.0, 2.0]]}}),
    ("add:predict", {"signature_name": "none", "instances": [[1.0, 2.0]]}),
    ("add/versions/9:predict", {"instances": [[1.0, 2.0]]}),
    ("add/labels/none:predict", {"instances": [[1.0, 2.0]]}),
    ("nobody:predict", {"instances": [[1.0, 2.0]]}),
    ("many:predict", {"signature_name": "integers", "inputs": {"n": [1.5], "m": [3]}}),
    ("classes:classify", {"examples": "none"}),
    ("classes:classify", {"examples": [{"x": [1.0, 0.5]}], "signature_name": "none"}),
]


def posted(both: tuple[Client, RunningProxy], path: str, body: bytes) -> tuple[httpx.Response, httpx.Response]:
    """Send the same body to both, as a client that names no content type."""
    client, proxy = both
    urls = (f"http://127.0.0.1:{client.rest_port}", proxy.url)
    server, ours = (httpx.post(f"{url}/v1/models/{path}", content=body, timeout=30) for url in urls)
    return server, ours


@pytest.mark.parametrize(("path", "document"), POSTS, ids=str)
def test_answers_are_equal(both: tuple[Client, RunningProxy], path: str, document: object) -> None:
    server, ours = posted(both, path, json.dumps(document).encode())
    assert (server.status_code, ours.status_code) == (200, 200), (server.text, ours.text)
    assert ours.json() == server.json()


@pytest.mark.parametrize(("path", "document"), REFUSED, ids=str)
def test_refusals_have_the_same_status_and_a_text(
    both: tuple[Client, RunningProxy], path: str, document: object
) -> None:
    server, ours = posted(both, path, json.dumps(document).encode())
    assert ours.status_code == server.status_code, (ours.text, server.text)
    assert isinstance(ours.json()["error"], str)


@pytest.mark.parametrize("path", ["add", "add/versions/2", "add/labels/stable", "add/metadata", "many/metadata"])
def test_what_is_told_of_a_model_is_equal(both: tuple[Client, RunningProxy], path: str) -> None:
    client, proxy = both
    server = httpx.get(f"http://127.0.0.1:{client.rest_port}/v1/models/{path}", timeout=30)
    assert proxy.get(f"/v1/models/{path}").json() == server.json()


@pytest.mark.parametrize("path", ["add/versions/9", "add/labels/none", "nobody", "nobody/metadata"])
def test_what_there_is_not_has_the_same_status(both: tuple[Client, RunningProxy], path: str) -> None:
    client, proxy = both
    server = httpx.get(f"http://127.0.0.1:{client.rest_port}/v1/models/{path}", timeout=30)
    assert proxy.get(f"/v1/models/{path}").status_code == server.status_code

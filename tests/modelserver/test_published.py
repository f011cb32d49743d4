"""Models with added signatures: both runtimes answer alike, and each tells of what it can do."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from tests.modelserver.conftest import RUNTIMES, Start
from tests.modelserver.running import END, Client, eventually, refused, running, spec_of

ROOT = Path(__file__).parents[2]
NAMES = ("stretched", "boxed", "cropped", "by-area", "detector")
SETTINGS = {"score_threshold": np.float32(0.3), "iou_threshold": np.float32(0.5), "max_detections": np.int32(9)}


@pytest.fixture(scope="session")
def published(pytestconfig: pytest.Config) -> Path:
    """The folder of the models, made once per form of what makes them."""
    digest = hashlib.sha256()
    makers = [Path(__file__).with_name("make_published.py"), *sorted((ROOT / "publisher").rglob("*.py"))]
    for path in (*makers, ROOT / "tests" / "publisher" / "small_models.py", ROOT / "proxy" / "card.py"):
        digest.update(path.read_bytes())
    folder = pytestconfig.cache.mkdir("published-models") / digest.hexdigest()[:16]
    if not folder.exists():
        aside = folder.with_name(f"{folder.name}.{os.getpid()}")
        command = [sys.executable, "-m", "tests.modelserver.make_published", str(aside)]
        subprocess.run(command, cwd=ROOT, check=True, timeout=280, capture_output=True)
        aside.rename(folder)
    return folder


@pytest.fixture(scope="session")
def clients(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Client]]:
    """A client of a server for each runtime."""
    entries = "".join(
        f'config {{ name: "{name}" base_path: "{published / name}" model_platform: "tensorflow" }}\n' for name in NAMES
    )
    file = tmp_path_factory.mktemp("published") / "models.config"
    file.write_text(f"model_config_list {{ {entries} }}")
    with ExitStack() as stack:
        found = {name: stack.enter_context(serving(name, file)) for name in RUNTIMES}
        yield found


@contextmanager
def serving(runtime: str, file: Path) -> Iterator[Client]:
    """Run a server; give its client once all models are there."""
    with running(f"--model_config_file={file}", f"--runtime={runtime}") as (client, _):
        eventually(lambda: all(client.available(name) for name in NAMES), 120)
        yield client


@functools.cache
def signatures(client: Client, model: str) -> dict[str, Any]:
    """Return the signatures that a server tells of."""
    request = GetModelMetadataRequest(model_spec=spec_of(model), metadata_field=["signature_def"])
    found = SignatureDefMap()
    assert client.prediction.GetModelMetadata(request, timeout=60).metadata["signature_def"].Unpack(found)
    return dict(found.signature_def)


def named(client: Client, model: str, prefix: str) -> str:
    """Return the signature of a kind, whatever its fingerprint."""
    (name,) = (name for name in signatures(client, model) if name.rpartition("_")[0] == prefix)
    return name


def files(*sizes: tuple[int, int]) -> np.ndarray:
    """Make JPEG files of some sizes (height, width)."""
    found = np.empty(len(sizes), object)
    for number, size in enumerate(sizes):
        small = np.random.default_rng(number).integers(0, 256, (4, 6, 3), np.uint8)
        picture = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)
        found[number] = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
    return found


@pytest.mark.parametrize("model", ["stretched", "boxed", "cropped"])
@pytest.mark.parametrize("prefix", ["encoded", "encoded_top_k"])
def test_both_runtimes_read_files_alike(clients: dict[str, Client], model: str, prefix: str) -> None:
    more = {"k": np.int32(2)} if prefix.endswith("k") else {}
    first, second = (
        client.predict(
            spec_of(model, signature=named(client, model, prefix)), encoded=files((60, 40), (8, 12), (5, 90)), **more
        )
        for client in clients.values()
    )
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.dtype == second[name].dtype
        # A step of 255 in a pixel, where the two round differently.
        np.testing.assert_allclose(array, second[name], atol=0.02)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_pixels_answer_like_the_original_signature(clients: dict[str, Client], runtime: str) -> None:
    client = clients[runtime]
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 12, 3), np.uint8)
    mean, deviation = (np.array(values, np.float32) for values in ([103.5, 116.28, 123.675], [57.375, 57.12, 58.395]))
    wanted = client.predict(spec_of("stretched"), image=(pixels - mean) / deviation)
    name = named(client, "stretched", "pixels")
    found = client.predict(spec_of("stretched", signature=name), pixels=pixels)
    for output, array in wanted.items():
        if runtime == "tensorflow":
            np.testing.assert_array_equal(found[output], array)
        np.testing.assert_allclose(found[output], array, atol=1e-5)
    only = client.predict(spec_of("stretched", signature=name), "pooled", pixels=pixels)
    assert set(only) == {"pooled"}


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize(("threshold", "found"), [(0.3, 2), (0.6, 1), (0.95, 0)])
def test_boxes_come_out_of_a_frozen_detector(
    clients: dict[str, Client], runtime: str, threshold: float, found: int
) -> None:
    client = clients[runtime]
    inputs = SETTINGS | {"score_threshold": np.float32(threshold), "pixels": np.full((1, 8, 8, 3), 204, np.uint8)}
    answer = client.predict(spec_of("detector", signature=named(client, "detector", "pixels_detections")), **inputs)
    rows = [[0, 0, 4, 4, 0.8, 1], [4, 4, 8, 8, 0.4, 2]]
    assert answer["detections"].shape == (1, found, 6)
    np.testing.assert_allclose(answer["detections"][0], np.reshape(rows[:found], (-1, 6)), rtol=1e-5)


def test_what_a_runtime_cannot_run_it_does_not_tell_of(clients: dict[str, Client]) -> None:
    kinds = {
        runtime: {name.rpartition("_")[0] for name in signatures(client, "by-area") if "_" in name}
        for runtime, client in clients.items()
    }
    assert {"pixels", "pixels_top_k", "encoded", "encoded_top_k"} <= kinds["tensorflow"]
    assert {"pixels", "pixels_top_k"} <= kinds["openvino"]
    assert not {"encoded", "encoded_top_k"} & kinds["openvino"]
    hidden = named(clients["tensorflow"], "by-area", "encoded")
    code, text = refused(
        lambda: clients["openvino"].predict(spec_of("by-area", signature=hidden), encoded=files((8, 8)))
    )
    assert (code, text) == ("FAILED_PRECONDITION", f'Serving signature key "{hidden}" not found.')


@pytest.mark.parametrize("model", ["stretched", "detector"])
def test_both_runtimes_tell_of_the_same_signatures(clients: dict[str, Client], model: str) -> None:
    told = [signatures(client, model) for client in clients.values()]
    assert told[0].keys() == told[1].keys()
    assert all(told[0][name] == told[1][name] for name in told[0])


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_file_that_is_no_jpeg_is_the_senders_mistake(clients: dict[str, Client], runtime: str) -> None:
    client, content = clients[runtime], np.empty(1, object)
    spec = spec_of("stretched", signature=named(client, "stretched", "encoded"))
    for data in (b"", b"not a picture", files((9, 9))[0][:40]):
        content[0] = data
        code, _ = refused(lambda: client.predict(spec, encoded=content))
        assert code == "INVALID_ARGUMENT"


def test_a_file_of_steps_that_cannot_be_read_keeps_the_version_from_being_served(
    published: Path, tmp_path: Path, start: Start
) -> None:
    shutil.copytree(published / "stretched", tmp_path / "model")
    steps = tmp_path / "model" / "1" / "assets.extra" / "steps.json"
    steps.write_text(json.dumps({"format": 2}))
    _, client = start(model_name="m", model_base_path=str(tmp_path / "model"))
    eventually(lambda: client.states("m").get(1, (0, ""))[0] == END)
    assert "has format 2, and this server reads format 1" in client.states("m")[1][1]

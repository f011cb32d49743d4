"""Real pictures through the proxy to real models on the project's own model server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.proxy.fake_server import wait_until
from tests.proxy.pictures import photo, photo_as_jpeg
from tests.proxy.running import ROOT, RunningProxy, running

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "kubevc"
MODELS = Path(os.environ.get("KUBEVC_CACHE", CACHE)) / "models"
NAMES = ("detector", "classifier")

pytestmark = pytest.mark.skipif(
    not all((MODELS / name / "model.yaml").exists() for name in NAMES),
    reason=f"the lab's models are not in {MODELS} (python -m toolchain setup --lab)",
)


@contextmanager
def model_server(folder: Path) -> Iterator[str]:
    """Run the model server with both models, and return its address."""
    configs = "".join(
        f'config {{ name: "{name}" base_path: "{MODELS / name}" model_platform: "tensorflow" }} ' for name in NAMES
    )
    (folder / "models.config").write_text(f"model_config_list {{ {configs} }}")
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "modelserver", f"--port={port}", "--bind_address=127.0.0.1",
         f"--model_config_file={folder / 'models.config'}"],
        cwd=ROOT,
    )  # fmt: skip
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        finally:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """Run model server and proxy with the lab's models and their cards."""
    folder = tmp_path_factory.mktemp("site")
    with model_server(folder) as target:
        models = [{"name": name, "target": target, "card": str(MODELS / name / "model.yaml")} for name in NAMES]
        with running(folder, {"models": models}) as proxy:
            for name in NAMES:
                wait_until(lambda name=name: is_available(proxy.get(f"/v1/models/{name}")), seconds=60)
            yield proxy


def is_available(response: httpx.Response) -> bool:
    """Say whether a status answer has a version that is served."""
    versions = response.json().get("model_version_status", ()) if response.status_code == 200 else ()
    return any(version["state"] == "AVAILABLE" for version in versions)


@pytest.mark.parametrize(
    ("name", "label", "box"),
    [
        ("coffee.png", "cup", [140, 10, 426, 398]),
        ("astronaut.png", "person", [14, 14, 364, 507]),
        ("motorcycle_left.png", "motorcycle", [106, 76, 688, 453]),
    ],
)
@pytest.mark.parametrize("as_jpeg", [False, True], ids=["png", "jpeg"])
def test_the_detector_finds_what_is_there(
    site: RunningProxy, name: str, label: str, box: list[float], as_jpeg: bool
) -> None:
    content = photo_as_jpeg(name) if as_jpeg else photo(name)
    media_type = "image/jpeg" if as_jpeg else "image/png"
    answer = site.post("detector", content=content, headers={"content-type": media_type}).json()
    strongest = answer["detections"][0]
    assert strongest["label"] == label
    assert strongest["score"] > 0.4
    assert strongest["box"] == pytest.approx(box, abs=20)


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("coffee.png", "espresso"),
        ("motorcycle_left.png", "moped"),
        ("chelsea.png", "tiger cat"),
        ("rocket.jpg", "missile"),
    ],
)
def test_the_classifier_knows_what_it_sees(site: RunningProxy, name: str, label: str) -> None:
    answer = site.post("classifier", content=photo(name), headers={"content-type": "image/png"}).json()
    likeliest = answer["classifications"]
    assert likeliest[0]["label"] == label
    assert len(likeliest) == 5
    assert [found["score"] for found in likeliest] == sorted((found["score"] for found in likeliest), reverse=True)


def test_the_detectors_metadata_names_its_input(site: RunningProxy) -> None:
    metadata = site.get("/v1/models/detector/metadata").json()
    assert set(metadata["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]) == {"input_1"}


def test_tensors_of_a_real_model_come_plain(site: RunningProxy) -> None:
    black = [[[0.0] * 3] * 224] * 224
    answer = site.post("classifier", json={"instances": [black, black]}).json()
    assert len(answer["predictions"]) == 2
    assert sum(answer["predictions"][0]) == pytest.approx(1, abs=1e-3)

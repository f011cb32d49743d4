"""A valid site whose files all exist, for the tests to spoil or to build."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from components.load import LoadedSite, read_named, site_from_data

VALID = Path(__file__).with_name("valid.yaml")
DIGEST = "0" * 64


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that `${KUBEVC_CACHE}` stands for, with every file that the valid site names."""
    monkeypatch.setenv("KUBEVC_CACHE", str(tmp_path))
    model = tmp_path / "detector"
    (model / "1").mkdir(parents=True)
    (model / "1" / "saved_model.pb").write_bytes(b"saved model")
    (model / "model.yaml").write_text("task: object-detection\nlabels: labels.txt\n")
    (model / "labels.txt").write_text("person\nbicycle\n")
    for name in ("id", "known_hosts", "picture.png"):
        (tmp_path / name).write_text("")
    names = {"k3s": "v1.26.2+k3s1", "flannel-cni": "v0.9.1", "image-pause": "3.6"}
    names |= {"image-modelserver": "1", "image-proxy": "1"}
    rows = [
        {
            "name": name,
            "version": version,
            "architecture": architecture,
            "url": f"{name}/{architecture}",
            "sha256": DIGEST,
            "image": f"kubevc.io/{name}:{version}",
        }
        for name, version in names.items()
        for architecture in ("amd64", "arm64")
    ]
    (tmp_path / "table.yaml").write_text(yaml.safe_dump({"artifacts": rows}))
    return tmp_path


@pytest.fixture
def site_data() -> dict[str, Any]:
    """Return the valid site as plain data, for one test to change."""
    return deepcopy(yaml.safe_load(VALID.read_text()))


@pytest.fixture
def load(machine: Path) -> Callable[[dict[str, Any]], LoadedSite]:
    """Return a function that reads a site as Pulumi's program does."""
    return lambda data: read_named(site_from_data(data, "Pulumi.test.yaml"), "Pulumi.test.yaml")

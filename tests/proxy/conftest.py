"""A model server and a proxy in front of it, for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.proxy.fake_models import LABELS, SIDE, all_models
from tests.proxy.fake_server import FakeServer, serving
from tests.proxy.running import RunningProxy, running

_PICTURE = {"tensor": "image", "width-pixels": SIDE, "height-pixels": SIDE}
_NANODET = {
    "task": "object-detection",
    "input": {**_PICTURE, "layout": "NCHW", "resize": "letterbox", "interpolation": "nearest", "pad-value": 0},
    "output": {"decoder": "nanodet"},
    "labels": "labels.txt",
}
CARDS: dict[str, dict[str, Any]] = {
    "detector": _NANODET,
    "broken-detector": _NANODET,
    "classifier": {
        "task": "image-classification",
        "input": _PICTURE,
        "output": {"decoder": "top-k", "k": 2, "tensor": "probabilities"},
        "labels": "labels.txt",
    },
    "pixels": {"task": "tensor", "input": {"tensor": "image", "width-pixels": 4, "height-pixels": 4}},
    "other-shape": {"task": "tensor", "input": {"tensor": "image", "width-pixels": 4, "height-pixels": 4}},
}
LIMITS = {"max-body-mib": 2, "max-pixels": 4_000_000, "max-in-flight": 4, "max-waiting": 0, "max-video-mib": 2}


def write_cards(folder: Path) -> None:
    """Write the cards of the tests' models and their labels."""
    (folder / "labels.txt").write_text("\n".join(LABELS))
    for name, card in CARDS.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(card))


def proxy_config(target: str, names: list[str]) -> dict[str, Any]:
    """Return a configuration for some of the tests' models."""
    models = [{"name": name, "target": target, **({"card": f"{name}.yaml"} if name in CARDS else {})} for name in names]
    # Each request of a test is a call of its own; joined calls have tests of their own.
    backend = {"batching": {"enabled": False}}
    return {"limits": LIMITS, "deadline-seconds": 5, "drain-seconds": 5, "backend": backend, "models": models}


@pytest.fixture(scope="session")
def model_server() -> Iterator[FakeServer]:
    """Run the model server."""
    with serving(all_models()) as server:
        yield server


@pytest.fixture(scope="session")
def proxy(model_server: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningProxy]:
    """Run the proxy for all models of the model server, and one that the server does not have."""
    folder = tmp_path_factory.mktemp("proxy")
    write_cards(folder)
    with running(folder, proxy_config(model_server.address, [*model_server.models, "absent"])) as process:
        yield process

"""Small models with cards, made once."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

# Set before TensorFlow is imported anywhere here: its notes would be taken for output of the tests.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

LABELS = ("ant", "bee", "cat", "dog")

CLASSIFIER: dict[str, Any] = {
    "task": "image-classification",
    "input": {
        "tensor": "image",
        "width-pixels": 12,
        "height-pixels": 8,
        "mean": [103.5, 116.28, 123.675],
        "standard-deviation": [57.375, 57.12, 58.395],
    },
    "output": {"decoder": "top-k", "tensor": "probabilities", "k": 3},
    "labels": "labels.txt",
}


def write_card(folder: Path, card: dict[str, Any]) -> None:
    """Write a card and its labels."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.yaml").write_text(yaml.safe_dump(card))
    (folder / "labels.txt").write_text("\n".join(LABELS))


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder: two layers with their weights in variables, and a second signature made for Classify."""
    from tests.publisher.small_models import save_classifier

    folder = tmp_path_factory.mktemp("original") / "classifier"
    write_card(folder, CLASSIFIER)
    save_classifier(folder / "1")
    (folder / "LICENSE").write_text("for tests")
    return folder


Publish = Callable[[Path, Path], list[Any]]


@pytest.fixture(scope="session")
def publish() -> Publish:
    """The publisher; imported late, because TensorFlow comes with it."""
    from publisher.publishing import publish

    return publish


@pytest.fixture(scope="session")
def published(classifier: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The classifier with its added signatures, by the command."""
    folder = tmp_path_factory.mktemp("published") / "classifier"
    said = by_command(classifier, folder)
    assert said.startswith(f"{folder / '1'}: added encoded_") and said.count(",") == 3
    return folder


def by_command(model: Path, out: Path) -> str:
    """Publish in a process of its own; return what it says."""
    command = [sys.executable, "-m", "publisher", f"--model={model}", f"--out={out}"]
    root = Path(__file__).parents[2]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True, timeout=240).stdout

"""A detector of 640 x 640 pixels, as a loopback model server announces it: with more or fewer of the added signatures.

One model for every way that a picture can go: a site whose model has the original signature alone takes the first, and
one whose publisher added the rest takes the last. All give boxes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from experiments.loopback_model import DEFAULT_SIGNATURE, FLOAT, INT32, STRING, UINT8, Models, Port, Signature
from proxy.card import CardDocument
from proxy.signature_names import (
    DETECTIONS,
    ENCODED,
    IOU_THRESHOLD,
    MAX_DETECTIONS,
    PIXELS,
    SCORE_THRESHOLD,
    signature_names,
)

SIDE, CLASSES, STRIDES, REG_MAX = 640, 80, (8, 16, 32), 10
INPUT = "images"
FOUND = 20
"""Boxes that the answers hold, per stride."""

FLOAT_ONLY, RAW_PIXELS, IN_GRAPH, FILE_IN_GRAPH, NUMBERS = (
    "float-only",
    "pixels",
    "in-graph",
    "file-in-graph",
    "numbers",
)
WAYS = {
    FLOAT_ONLY: "float32 in, raw head out",
    RAW_PIXELS: "uint8 in, raw head out",
    IN_GRAPH: "uint8 in, boxes out (in the graph)",
    FILE_IN_GRAPH: "JPEG in, boxes out (in the graph)",
}

_CARD: dict[str, Any] = {
    "task": "object-detection",
    "input": {
        "tensor": INPUT,
        "width-pixels": SIDE,
        "height-pixels": SIDE,
        "resize": "letterbox",
        "standard-deviation": [255, 255, 255],
    },
    "output": {"decoder": "nanodet"},
    "labels": "labels.txt",
}
_THRESHOLDS: dict[str, Port] = {
    SCORE_THRESHOLD: (FLOAT, ()),
    IOU_THRESHOLD: (FLOAT, ()),
    MAX_DETECTIONS: (INT32, ()),
}


def write(folder: Path, target: str) -> list[dict[str, Any]]:
    """Write the models' card and labels; return the section `models` of the proxy's configuration."""
    (folder / "labels.txt").write_text("\n".join(f"class {number}" for number in range(CLASSES)))
    (folder / "detector.yaml").write_text(yaml.safe_dump(_CARD))
    detectors = [{"name": name, "target": target, "card": "detector.yaml"} for name in WAYS]
    return [*detectors, {"name": NUMBERS, "target": target}]


def models() -> Models:
    """Return what the server announces and answers."""
    original = {DEFAULT_SIGNATURE: Signature({INPUT: (FLOAT, (1, SIDE, SIDE, 3))}, head())}
    names = signature_names(CardDocument.model_validate(_CARD))
    if names is None or names.pixels_answer is None or names.encoded_answer is None:
        raise RuntimeError("a detector's card has names for all added signatures")
    pixels: dict[str, Port] = {PIXELS: (UINT8, (-1, SIDE, SIDE, 3))}
    files: dict[str, Port] = {ENCODED: (STRING, (-1,))}
    raw_pixels = {names.pixels: Signature(pixels, head())}
    in_graph = {names.pixels_answer: Signature(pixels | _THRESHOLDS, {DETECTIONS: boxes()})}
    file_in_graph = {names.encoded_answer: Signature(files | _THRESHOLDS, {DETECTIONS: boxes()})}
    plain = Signature({"x": (FLOAT, (-1, 16))}, {"y": np.arange(16, dtype=np.float32)[None]})
    return {
        FLOAT_ONLY: original,
        RAW_PIXELS: original | raw_pixels,
        IN_GRAPH: original | raw_pixels | in_graph,
        FILE_IN_GRAPH: original | raw_pixels | in_graph | file_in_graph,
        NUMBERS: {DEFAULT_SIGNATURE: plain},
    }


def head() -> dict[str, np.ndarray]:
    """Return the raw outputs of a picture in which some cells of every stride see something."""
    random = np.random.default_rng(0)
    outputs = {}
    for stride in STRIDES:
        cells = (SIDE // stride) ** 2
        scores = random.random((1, cells, CLASSES), np.float32) * np.float32(0.3)
        scores[0, random.integers(0, cells, FOUND), random.integers(0, CLASSES, FOUND)] = 0.8
        outputs[f"scores{stride}"] = scores
        outputs[f"sides{stride}"] = random.normal(0, 2, (1, cells, 4 * (REG_MAX + 1))).astype(np.float32)
    return outputs


def boxes() -> np.ndarray:
    """Return rows as the graph gives them, strongest first: float32 [1, n, 6] of x1, y1, x2, y2, score, class."""
    random = np.random.default_rng(0)
    count = FOUND * len(STRIDES)
    corners = random.uniform(0, SIDE / 2, (count, 2))
    sizes = random.uniform(10, SIDE / 2, (count, 2))
    scores = np.sort(random.uniform(0.35, 0.95, count))[::-1]
    classes = random.integers(0, CLASSES, count)
    return np.column_stack([corners, corners + sizes, scores, classes]).astype(np.float32)[None]


def small_json() -> bytes:
    """Return numbers for the model that takes no pictures."""
    return json.dumps({"instances": [np.linspace(0, 1, 16).tolist()]}).encode()

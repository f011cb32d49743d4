"""A detector of 640 x 640 pixels, as model servers announce it that have more or fewer of the added signatures.

One model for every way that a picture can go: a site whose model has the original signature alone takes the first, and
one whose publisher added the rest takes the last. All give boxes. Another model takes plain numbers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from experiments import four_models
from experiments.loopback_model import DEFAULT_SIGNATURE, FLOAT, Models, Signature
from experiments.paper import YOLO

DETECTOR = four_models.PICTURE_MODELS[YOLO]
SIDE, INPUT = DETECTOR.side, DETECTOR.tensor

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


def write(folder: Path, target: str) -> list[dict[str, Any]]:
    """Write the models' card and labels; return the section `models` of the proxy's configuration."""
    (folder / "labels.txt").write_text("\n".join(f"class {number}" for number in range(four_models.COCO_CLASSES)))
    (folder / "detector.yaml").write_text(yaml.safe_dump(DETECTOR.card))
    detectors = [{"name": name, "target": target, "card": "detector.yaml"} for name in WAYS]
    return [*detectors, {"name": NUMBERS, "target": target}]


def models() -> Models:
    """Return what the server announces and answers."""
    signatures, added = DETECTOR.signatures(), DETECTOR.added()
    first = (DEFAULT_SIGNATURE, added.pixels, added.pixels_answer, added.encoded_answer)
    ways = {
        way: {name: signatures[name] for name in first[: count + 1] if name is not None}
        for count, way in enumerate(WAYS)
    }
    plain = Signature({"x": (FLOAT, (-1, 16))}, {"y": np.arange(16, dtype=np.float32)[None]})
    return ways | {NUMBERS: {DEFAULT_SIGNATURE: plain}}


def small_json() -> bytes:
    """Return numbers for the model that takes no pictures."""
    return json.dumps({"instances": [np.linspace(0, 1, 16).tolist()]}).encode()

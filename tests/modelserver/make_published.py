"""Write small models with cards, and let the publisher add signatures; the folder is named on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from publisher.publishing import publish
from tests.publisher.conftest import CLASSIFIER, write_card
from tests.publisher.small_models import save_classifier, save_frozen_detector

DETECTOR: dict[str, Any] = {
    "task": "object-detection",
    "input": {"tensor": "image", "width-pixels": 8, "height-pixels": 8, "layout": "NCHW", "channels": "BGR"},
    "output": {"decoder": "centernet"},
    "labels": "labels.txt",
}
FITS = {
    "stretched": {"resize": "stretch", "interpolation": "bilinear"},
    "boxed": {"resize": "letterbox", "interpolation": "bicubic", "pad-value": 90},
    "cropped": {"resize": "center-crop", "interpolation": "nearest", "crop-fraction": 0.75},
    "by-area": {"resize": "stretch", "interpolation": "area"},
}
"""One classifier for each; OpenVINO has no resizing by area."""


def main() -> None:
    """Write all of them."""
    top = Path(sys.argv[1])
    cards = {name: CLASSIFIER | {"input": CLASSIFIER["input"] | keys} for name, keys in FITS.items()}
    for name, card in (cards | {"detector": DETECTOR}).items():
        plain = top / "plain" / name
        write_card(plain, card)
        (save_frozen_detector if name == "detector" else save_classifier)(plain / "1")
        publish(plain, top / name)


if __name__ == "__main__":
    main()

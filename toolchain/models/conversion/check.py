"""Prove a converted model: what it sees in known pictures is compared with what is in them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import yaml
from PIL import Image

from toolchain.models.conversion.tfjs import Array
from toolchain.models.errors import VerificationError

_INTERPOLATIONS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def check(model: Path, pictures: Path, expected: Mapping[str, str]) -> None:
    """Run a model on pictures, as its card says, and look for the expected label.

    Args:
        model: The model's folder with card, labels and version 1.
        pictures: Folder of the pictures.
        expected: Picture name to the label that must be the model's strongest.

    Raises:
        VerificationError: The strongest label is another one.
    """
    card = yaml.safe_load((model / "model.yaml").read_text())
    labels = (model / card["labels"]).read_text().splitlines()
    signature = tf.saved_model.load(str(model / "1")).signatures["serving_default"]
    for name, label in expected.items():
        found = labels[_strongest(_run(signature, card["input"], pictures / name), len(labels))]
        print(f"  {model.name} sees in {name}: {found}", flush=True)
        if found != label:
            raise _blind(str(pictures / name), found, label)


def _run(signature: Any, form: Mapping[str, Any], picture: Path) -> list[Array]:
    tensor = tf.constant(prepare(picture, form))
    return [output.numpy() for output in signature(**{form["tensor"]: tensor}).values()]


def _strongest(outputs: list[Array], classes: int) -> int:
    """Return the class of the highest score; scores are those outputs whose last axis counts the classes."""
    scores = [output.reshape(-1, classes).max(0) for output in outputs if output.shape[-1] == classes]
    return int(np.max(scores, axis=0).argmax())


def prepare(picture: Path, form: Mapping[str, Any]) -> Array:
    """Return a picture as the model's input, float32 [1, height, width, 3], or [1, 3, height, width] for NCHW."""
    image = Image.open(picture).convert("RGB")
    if form["resize"] == "center-crop":
        image = image.crop(_centre(image.width, image.height, form["crop-fraction"]))
    image = image.resize((form["width-pixels"], form["height-pixels"]), _INTERPOLATIONS[form["interpolation"]])
    values = np.asarray(image, np.float32)
    if form["channels"] == "BGR":
        values = values[..., ::-1]
    values = (values - np.float32(form["mean"])) / np.float32(form["standard-deviation"])
    return values[None].transpose(0, 3, 1, 2) if form["layout"] == "NCHW" else values[None]


def _centre(width: int, height: int, fraction: float) -> tuple[int, int, int, int]:
    side = int(min(width, height) * fraction)
    left, top = (width - side) // 2, (height - side) // 2
    return left, top, left + side, top + side


def _blind(picture: str, found: str, label: str) -> VerificationError:
    return VerificationError(
        f"converted model on {picture}",
        f'it sees "{found}", and the picture shows "{label}"',
        "a conversion that went wrong gives a model that answers, and answers wrongly; nothing was put into the cache",
        "this is a bug of the conversion: please report it with the versions of tensorflow-cpu and numpy",
    )

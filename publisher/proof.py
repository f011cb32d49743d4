"""The proof: a written model is asked before anybody is given it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from proxy.card import ModelCard
from proxy.pictures.preprocess import normalise
from proxy.signature_names import PIXELS, signature_names
from publisher.errors import ProofError
from publisher.original import DEFAULT_SIGNATURE, Original


def prove(original: Original, written: Path, card: ModelCard) -> None:
    """Compare a written model with its original on one picture of noise: every bit has to be the same.

    Args:
        original: What the signatures were added to.
        written: The version's folder.
        card: The model's card.

    Raises:
        ProofError: An answer differs.
    """
    spec, names = card.document.input, signature_names(card.document)
    assert spec is not None
    assert names is not None
    number = original.batch or 1
    pixels = np.random.default_rng(7).integers(0, 256, (number, spec.height_pixels, spec.width_pixels, 3), np.uint8)
    ordered = np.ascontiguousarray(pixels[..., ::-1]) if spec.channels == "BGR" else pixels
    dtype = np.dtype(original.input.dtype.as_numpy_dtype)
    array = np.concatenate([normalise(picture, spec, dtype) for picture in ordered])
    wanted = original.signatures[DEFAULT_SIGNATURE](**{spec.tensor: tf.constant(array)})
    signatures = tf.saved_model.load(str(written)).signatures
    _compare(wanted, signatures[DEFAULT_SIGNATURE](**{spec.tensor: tf.constant(array)}), DEFAULT_SIGNATURE)
    _compare(wanted, signatures[names.pixels](**{PIXELS: tf.constant(pixels)}), names.pixels)


def _compare(wanted: dict[str, Any], found: dict[str, Any], signature: str) -> None:
    for name, tensor in wanted.items():
        if not np.array_equal(tensor.numpy(), found[name].numpy(), equal_nan=tensor.dtype.is_floating):
            raise ProofError(
                where=f"signature {signature}, output {name}",
                found="on a picture of noise its values are not the original's, to the bit",
                reason="Whoever uses the added signatures would get other answers; nothing was written",
                remedy="Check that the model answers the same twice; if it does, please report this with the model",
            )

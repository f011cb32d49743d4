"""JPEG files into fitted pixels."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from proxy.pictures.picture_input import PictureInput
from publisher.graph.fitting import fit


def fitted_pixels(encoded: Any, spec: PictureInput) -> Any:
    """Decode and fit a batch of JPEG files; each may have a size of its own.

    Args:
        encoded: string [N]; grey files become colour.
        spec: What the card says of the model's input.

    Returns:
        uint8 [N, height, width, 3], RGB.
    """
    form = tf.TensorSpec([spec.height_pixels, spec.width_pixels, 3], tf.uint8)
    return tf.map_fn(lambda data: fit(_decoded(data), spec), encoded, fn_output_signature=form)


def _decoded(data: Any) -> Any:
    """Decode one file with the accurate transformation, as the proxy's decoder does."""
    return tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE", fancy_upscaling=True)

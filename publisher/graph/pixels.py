"""Pixels into the model's input: order of the channels, mean, standard deviation and layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from proxy.pictures.picture_input import PictureInput


class Normalisation(tf.Module):
    """Does in the graph what `proxy.pictures.preprocess.normalise` does before it; float32 is equal to the bit.

    Mean and deviation are variables and not constants: a session merges constants with those at the start of the
    model, and the results would no longer be the same (seen with models that begin with a scale or a shift).
    """

    def __init__(self, spec: PictureInput, dtype: Any) -> None:
        """Prepare for a card and the type of the model's input."""
        super().__init__(name="normalisation")
        self._spec = spec
        self._dtype = dtype
        self._shifts = any(value != 0 for value in spec.mean)
        self._scales = any(value != 1 for value in spec.standard_deviation)
        if self._shifts:
            self.mean = _constant(spec.mean, "mean")
        if self._scales:
            self.deviation = _constant(spec.standard_deviation, "standard_deviation")

    def __call__(self, pixels: Any) -> Any:
        """Return what the model takes.

        Args:
            pixels: uint8 [N, height, width, 3], RGB, of the model's size.

        Returns:
            The model's type, in the card's layout.
        """
        ordered = pixels[..., ::-1] if self._spec.channels == "BGR" else pixels
        values = self._values(ordered)
        return tf.transpose(values, [0, 3, 1, 2]) if self._spec.layout == "NCHW" else values

    def _values(self, pixels: Any) -> Any:
        if self._dtype == tf.uint8:
            return pixels
        values = tf.cast(pixels, tf.float32)
        if self._shifts:
            values = values - self.mean
        if self._scales:
            values = values / self.deviation
        return tf.cast(values, self._dtype)


def _constant(values: tuple[float, float, float], name: str) -> Any:
    return tf.Variable(np.array(values, np.float32), trainable=False, name=name)

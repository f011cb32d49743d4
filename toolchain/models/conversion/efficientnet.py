"""EfficientNet-Lite0 as a TensorFlow module, from PyTorch weights.

The architecture is that of the EfficientNet-Lite release: no squeeze-and-excitation, ReLU6, stem and head of fixed
width. Each batch normalisation is folded into the convolution before it: with g = gamma / sqrt(variance + epsilon),
the kernel becomes kernel * g and the bias beta - mean * g.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from toolchain.models.conversion.tfjs import Array

SIZE_PIXELS = 224
_EPSILON = 1e-3


@dataclass(frozen=True)
class _Stage:
    """Blocks of one shape; only the first of them uses the stride, the others have a residual connection."""

    repeats: int
    stride: int
    expands: bool


_STAGES = (
    _Stage(1, 1, False),
    _Stage(2, 2, True),
    _Stage(2, 2, True),
    _Stage(3, 2, True),
    _Stage(3, 1, True),
    _Stage(4, 2, True),
    _Stage(1, 1, True),
)


class _Convolution(tf.Module):
    """A convolution with its normalisation folded in; `SAME` padding as in the weights' training."""

    def __init__(self, weights: Mapping[str, Array], name: str, norm: str, stride: int, *, depthwise: bool) -> None:
        super().__init__()
        kernel, bias = _folded(weights, name, norm)
        # PyTorch keeps output, input, height, width. TensorFlow wants height, width, input, output.
        axes = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
        self._kernel = tf.Variable(kernel.transpose(axes), name="kernel")
        self._bias = tf.Variable(bias, name="bias")
        self._stride = stride
        self._depthwise = depthwise

    def __call__(self, values: Any) -> Any:
        strides = [1, self._stride, self._stride, 1]
        apply = tf.nn.depthwise_conv2d if self._depthwise else tf.nn.conv2d
        return apply(values, self._kernel, strides, "SAME") + self._bias


class _Block(tf.Module):
    """An inverted residual block: expand, filter each channel, project."""

    def __init__(self, weights: Mapping[str, Array], name: str, stage: _Stage, *, first: bool) -> None:
        super().__init__()
        stride = stage.stride if first else 1
        self._expand = (
            _Convolution(weights, f"{name}._expand_conv", f"{name}._bn0", 1, depthwise=False) if stage.expands else None
        )
        self._depthwise = _Convolution(weights, f"{name}._depthwise_conv", f"{name}._bn1", stride, depthwise=True)
        self._project = _Convolution(weights, f"{name}._project_conv", f"{name}._bn2", 1, depthwise=False)
        self._residual = not first

    def __call__(self, values: Any) -> Any:
        wide = tf.nn.relu6(self._expand(values)) if self._expand else values
        narrow = self._project(tf.nn.relu6(self._depthwise(wide)))
        return narrow + values if self._residual else narrow


class EfficientNetLite0(tf.Module):
    """The classifier.

    Args:
        weights: Tensors of the checkpoint by name.
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        super().__init__()
        self._stem = _Convolution(weights, "_conv_stem", "_bn0", 2, depthwise=False)
        self._blocks = list(_blocks(weights))
        self._head = _Convolution(weights, "_conv_head", "_bn1", 1, depthwise=False)
        self._kernel = tf.Variable(weights["_fc.weight"].T.copy(), name="kernel")
        self._bias = tf.Variable(weights["_fc.bias"], name="bias")

    @tf.function(input_signature=[tf.TensorSpec([None, SIZE_PIXELS, SIZE_PIXELS, 3], tf.float32, name="images")])
    def classify(self, images: Any) -> dict[str, Any]:
        """Return the class probabilities, float32 [N, 1000], of float32 pictures [N, 224, 224, 3]."""
        values = tf.nn.relu6(self._stem(images))
        for block in self._blocks:
            values = block(values)
        features = tf.reduce_mean(tf.nn.relu6(self._head(values)), [1, 2])
        return {"probabilities": tf.nn.softmax(tf.matmul(features, self._kernel) + self._bias, name="probabilities")}


def _blocks(weights: Mapping[str, Array]) -> Iterator[_Block]:
    number = 0
    for stage in _STAGES:
        for repeat in range(stage.repeats):
            yield _Block(weights, f"_blocks.{number}", stage, first=repeat == 0)
            number += 1


def _folded(weights: Mapping[str, Array], name: str, norm: str) -> tuple[Array, Array]:
    gain = weights[f"{norm}.weight"] / np.sqrt(weights[f"{norm}.running_var"] + _EPSILON)
    kernel = weights[f"{name}.weight"] * gain[:, None, None, None]
    bias = weights[f"{norm}.bias"] - weights[f"{norm}.running_mean"] * gain
    return kernel.astype(np.float32), bias.astype(np.float32)

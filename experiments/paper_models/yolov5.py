"""YOLOv5s by its published structure: a CSP backbone, a path aggregation neck, three heads of three anchors each."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

_CHANNELS = 0.5
_DEPTH = 0.33
_ANCHORS = {
    8: [[10, 13], [16, 30], [33, 23]],
    16: [[30, 61], [62, 45], [59, 119]],
    32: [[116, 90], [156, 198], [373, 326]],
}
"""Width and height in pixels, per stride."""
_SEEN = 30
"""Boxes over the usual threshold in a picture of noise: so that there is something to suppress and to answer."""
_THRESHOLD = 0.25


def yolov5s(side: int, classes: int) -> Any:
    """Return the network as a Keras model: float32 [1, side, side, 3] to [1, n, 5 + classes], boxes in pixels."""
    image = layers.Input((side, side, 3), batch_size=1)
    third, fourth, fifth = _backbone(image)
    heads = _neck(third, fourth, fifth)
    outputs = [_head(level, stride, side, classes) for level, stride in zip(heads, _ANCHORS, strict=True)]
    model = keras.Model(image, layers.Concatenate(axis=1)(outputs))
    _calibrate(model, side, classes)
    return model


def _width(channels: int) -> int:
    return int(channels * _CHANNELS)


def _conv(x: Any, filters: int, kernel: int = 1, stride: int = 1) -> Any:
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal")(x)
    return layers.Activation("silu")(layers.BatchNormalization(epsilon=1e-3)(x))


def _c3(x: Any, filters: int, repeats: int, shortcut: bool = True) -> Any:
    left, right = _conv(x, filters // 2), _conv(x, filters // 2)
    for _ in range(max(round(repeats * _DEPTH), 1)):
        inner = _conv(_conv(left, filters // 2), filters // 2, 3)
        left = layers.Add()([left, inner]) if shortcut else inner
    return _conv(layers.Concatenate()([left, right]), filters)


def _backbone(image: Any) -> tuple[Any, Any, Any]:
    x = _c3(_conv(_conv(image, _width(64), 6, 2), _width(128), 3, 2), _width(128), 3)
    third = _c3(_conv(x, _width(256), 3, 2), _width(256), 6)
    fourth = _c3(_conv(third, _width(512), 3, 2), _width(512), 9)
    x = _c3(_conv(fourth, _width(1024), 3, 2), _width(1024), 3)
    return third, fourth, _pooled(x)


def _pooled(x: Any) -> Any:
    parts = [_conv(x, _width(512))]
    for _ in range(3):
        parts.append(layers.MaxPool2D(5, 1, "same")(parts[-1]))
    return _conv(layers.Concatenate()(parts), _width(1024))


def _neck(third: Any, fourth: Any, fifth: Any) -> tuple[Any, Any, Any]:
    low = _conv(fifth, _width(512))
    x = _c3(layers.Concatenate()([layers.UpSampling2D()(low), fourth]), _width(512), 3, False)
    middle = _conv(x, _width(256))
    small = _c3(layers.Concatenate()([layers.UpSampling2D()(middle), third]), _width(256), 3, False)
    medium = _c3(layers.Concatenate()([_conv(small, _width(256), 3, 2), middle]), _width(512), 3, False)
    large = _c3(layers.Concatenate()([_conv(medium, _width(512), 3, 2), low]), _width(1024), 3, False)
    return small, medium, large


def _head(level: Any, stride: int, side: int, classes: int) -> Any:
    """Turn a level into rows of centre, size, objectness and class scores."""
    cells, values = side // stride, 5 + classes
    x = layers.Conv2D(3 * values, 1, name=f"head_{stride}")(level)
    x = layers.Activation("sigmoid")(layers.Reshape((cells * cells, 3, values))(x))
    grid = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), -1).reshape(1, -1, 1, 2).astype(np.float32)
    anchors = np.array(_ANCHORS[stride], np.float32).reshape(1, 1, 3, 2)

    def rows(y: Any) -> Any:
        centre = (y[..., :2] * 2 - 0.5 + grid) * stride
        size = (y[..., 2:4] * 2) ** 2 * anchors
        return tf.reshape(tf.concat([centre, size, y[..., 4:]], -1), [1, -1, values])

    return layers.Lambda(rows, output_shape=(cells * cells * 3, values))(x)


def _calibrate(model: Any, side: int, classes: int) -> None:
    """Set the biases of the objectness so that a picture of noise has a few boxes over the threshold."""
    noise = np.random.default_rng(7).random((1, side, side, 3), np.float32)
    rows = model(noise, training=False).numpy()[0]
    likely = rows[:, 5:].max(axis=1)
    missing = _logit(np.clip(_THRESHOLD / likely, 1e-6, 1 - 1e-6)) - _logit(rows[:, 4])
    shift = np.partition(missing, _SEEN)[_SEEN]
    for stride in _ANCHORS:
        kernel, bias = model.get_layer(f"head_{stride}").get_weights()
        bias.reshape(3, 5 + classes)[:, 4] += shift
        model.get_layer(f"head_{stride}").set_weights([kernel, bias])


def _logit(probability: Any) -> Any:
    return np.log(probability / (1 - probability))

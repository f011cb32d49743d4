"""Resampling: pictures of any size into another size, by OpenCV's rules.

Every pixel of the result is a weighted mean of a few pixels of the source, first along the columns, then along the
rows. The weights are OpenCV's, rounded to its 2048ths where it rounds them, and the results are rounded to bytes: they
differ from `cv2.resize` by one step of 255 at most, where OpenCV itself rounds in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

_STEPS = 2048.0
_CUBIC = -0.75


def resample(picture: Any, height: Any, width: Any, interpolation: str) -> Any:
    """Resize a picture.

    Args:
        picture: uint8 [h, w, 3].
        height: int32 [], of the result.
        width: int32 [], of the result.
        interpolation: As in the card.

    Returns:
        uint8 [height, width, 3].
    """
    along = _ALONG[interpolation]
    values = along(along(picture, height, 0), width, 1)
    return tf.cast(tf.clip_by_value(tf.round(values), 0.0, 255.0), tf.uint8)


def _nearest(picture: Any, size: Any, axis: int) -> Any:
    old = tf.shape(picture)[axis]
    positions = tf.cast(tf.floor(tf.cast(tf.range(size), tf.float64) * _scale(old, size)), tf.int32)
    return tf.cast(tf.gather(picture, tf.minimum(positions, old - 1), axis=axis), tf.float32)


def _bilinear(picture: Any, size: Any, axis: int) -> Any:
    first, part = _positions(tf.shape(picture)[axis], size)
    return _weighted(picture, axis, first, [1.0 - part, part])


def _bicubic(picture: Any, size: Any, axis: int) -> Any:
    """Weigh four pixels by the cubic of Keys (1981) with a slope of -0.75."""
    first, part = _positions(tf.shape(picture)[axis], size)
    far, near = part + 1.0, 1.0 - part
    before = ((_CUBIC * far - 5 * _CUBIC) * far + 8 * _CUBIC) * far - 4 * _CUBIC
    left = ((_CUBIC + 2) * part - (_CUBIC + 3)) * part * part + 1
    right = ((_CUBIC + 2) * near - (_CUBIC + 3)) * near * near + 1
    return _weighted(picture, axis, first - 1, [before, left, right, 1.0 - before - left - right])


def _area(picture: Any, size: Any, axis: int) -> Any:
    """Weigh every pixel by the part of it that lies under the pixel of the result.

    OpenCV does so where a picture shrinks or grows both ways; where it shrinks one way and grows the other, OpenCV
    looks at two pixels only, and the results differ.
    """
    old = tf.shape(picture)[axis]
    scale = _scale(old, size)
    begin = tf.cast(tf.range(size), tf.float64)[:, None] * scale
    pixel = tf.cast(tf.range(old), tf.float64)[None, :]
    covered = tf.maximum(tf.minimum(begin + scale, pixel + 1) - tf.maximum(begin, pixel), 0.0)
    weights = tf.cast(covered / tf.reduce_sum(covered, axis=1, keepdims=True), tf.float32)
    return tf.einsum("os,swc->owc" if axis == 0 else "os,hsc->hoc", weights, tf.cast(picture, tf.float32))


_ALONG: dict[str, Callable[[Any, Any, int], Any]] = {
    "nearest": _nearest,
    "bilinear": _bilinear,
    "bicubic": _bicubic,
    "area": _area,
}


def _scale(old: Any, size: Any) -> Any:
    """Return the pixels of the source per pixel of the result, by way of its inverse like OpenCV."""
    return 1.0 / (tf.cast(size, tf.float64) / tf.cast(old, tf.float64))


def _positions(old: Any, size: Any) -> tuple[Any, Any]:
    """Return for each pixel of the result the pixel at or before its centre, and how far behind that it lies."""
    centres = (tf.cast(tf.range(size), tf.float64) + 0.5) * _scale(old, size) - 0.5
    first = tf.floor(centres)
    return tf.cast(first, tf.int32), tf.cast(centres - first, tf.float32)


def _weighted(picture: Any, axis: int, first: Any, weights: list[Any]) -> Any:
    """Add up neighbouring pixels from `first` on; beyond the edge the last pixel is repeated."""
    edge = tf.shape(picture)[axis] - 1
    form = [-1, 1, 1] if axis == 0 else [1, -1, 1]
    parts = [
        tf.cast(tf.gather(picture, tf.clip_by_value(first + number, 0, edge), axis=axis), tf.float32)
        * tf.reshape(tf.round(weight * _STEPS) / _STEPS, form)
        for number, weight in enumerate(weights)
    ]
    return tf.add_n(parts)

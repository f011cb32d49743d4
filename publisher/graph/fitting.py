"""Fitting: a picture of any size into the model's size, with the geometry of `proxy.pictures.preprocess`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from proxy.pictures.picture_input import PictureInput
from publisher.graph.resampling import resample


def fit(picture: Any, spec: PictureInput) -> Any:
    """Bring a picture to the model's size.

    Args:
        picture: uint8 [h, w, 3].
        spec: What the card says of the model's input.

    Returns:
        uint8 [height, width, 3] of the card.
    """
    fitted = _FITS[spec.resize](picture, spec)
    return tf.ensure_shape(fitted, [spec.height_pixels, spec.width_pixels, 3])


def _stretch(picture: Any, spec: PictureInput) -> Any:
    return resample(picture, spec.height_pixels, spec.width_pixels, spec.interpolation)


def _letterbox(picture: Any, spec: PictureInput) -> Any:
    height, width = _size(picture)
    scale = tf.minimum(spec.width_pixels / width, spec.height_pixels / height)
    inner_width, inner_height = _whole(width * scale), _whole(height * scale)
    left, top = (spec.width_pixels - inner_width) // 2, (spec.height_pixels - inner_height) // 2
    right, bottom = spec.width_pixels - inner_width - left, spec.height_pixels - inner_height - top
    inner = resample(picture, inner_height, inner_width, spec.interpolation)
    return tf.pad(inner, [[top, bottom], [left, right], [0, 0]], constant_values=spec.pad_value)


def _center_crop(picture: Any, spec: PictureInput) -> Any:
    height, width = _size(picture)
    scale = tf.maximum(spec.width_pixels / width, spec.height_pixels / height) / spec.crop_fraction
    crop_width = tf.minimum(tf.shape(picture)[1], _whole(spec.width_pixels / scale))
    crop_height = tf.minimum(tf.shape(picture)[0], _whole(spec.height_pixels / scale))
    left, top = (tf.shape(picture)[1] - crop_width) // 2, (tf.shape(picture)[0] - crop_height) // 2
    crop = picture[top : top + crop_height, left : left + crop_width]
    return resample(crop, spec.height_pixels, spec.width_pixels, spec.interpolation)


_FITS: dict[str, Callable[[Any, PictureInput], Any]] = {
    "stretch": _stretch,
    "letterbox": _letterbox,
    "center-crop": _center_crop,
}


def _size(picture: Any) -> tuple[Any, Any]:
    """Return height and width as float64, in which Python calculates as well."""
    shape = tf.cast(tf.shape(picture), tf.float64)
    return shape[0], shape[1]


def _whole(length: Any) -> Any:
    """Round to an even neighbour from the middle, like Python's `round`; at least 1."""
    return tf.maximum(tf.cast(tf.round(length), tf.int32), 1)

"""YOLO's head in the graph; the same reading as `proxy/decoders/yolo.py`, which explains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from proxy.decoders.yolo import Yolo
from proxy.pictures.picture_input import PictureInput
from publisher.graph.candidates import Boxes, Candidates
from publisher.graph.outputs import named_output

_BOX = 4


def candidates(outputs: Mapping[str, Any], output: Yolo, spec: PictureInput, class_count: int) -> Candidates:
    """Read boxes of centre and size with their scores.

    Args:
        outputs: `output.tensor` as [N, n, values] or [N, values, n], as `layout` says.
        output: Section `output` of the card.
        spec: The input's size, for relative coordinates.
        class_count: The number of labels.

    Raises:
        MismatchError: The output is missing or has another form.
    """
    values = _BOX + output.objectness + class_count
    by_rows = output.layout == "rows"
    found = named_output(outputs, output.tensor, (None, values) if by_rows else (values, None))
    axis = 2 if by_rows else 1
    box, objectness, by_class = tf.split(found, [_BOX, int(output.objectness), class_count], axis=axis)
    best = tf.reduce_max(by_class, axis=axis)

    def of(index: Any, values_of_all: Any) -> Any:
        if by_rows:
            return tf.gather(values_of_all, index, batch_dims=1)
        return tf.gather(tf.transpose(values_of_all, [0, 2, 1]), index, batch_dims=1)

    def read(index: Any) -> Boxes:
        classes = tf.argmax(of(index, by_class), axis=2, output_type=tf.int32)
        return Boxes(corners=_corners(of(index, box), output, spec), classes=classes)

    return Candidates(scores=tf.squeeze(objectness, axis) * best if output.objectness else best, read=read)


def _corners(centred: Any, output: Yolo, spec: PictureInput) -> Any:
    """Turn centre and size, float32 [N, k, 4], into corners in pixels."""
    centre, half = centred[..., :2], centred[..., 2:] / 2
    corners = tf.concat([centre - half, centre + half], axis=2)
    if output.coordinates == "relative":
        corners = corners * tf.constant([spec.width_pixels, spec.height_pixels] * 2, tf.float32)
    return corners

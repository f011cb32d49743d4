"""NanoDet's head in the graph; the same reading as `proxy/decoders/nanodet.py`, which explains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from proxy.decoders.nanodet import Nanodet
from proxy.pictures.picture_input import PictureInput
from publisher.graph.candidates import Candidates
from publisher.graph.outputs import shaped_output


def candidates(outputs: Mapping[str, Any], output: Nanodet, spec: PictureInput, class_count: int) -> Candidates:
    """Read the box of every cell.

    Args:
        outputs: Per stride, scores [N, cells, class_count] and distances [N, cells, 4 * (reg_max + 1)].
        output: Section `output` of the card.
        spec: The input's size, which tells the number of cells.
        class_count: The number of labels.

    Raises:
        MismatchError: An output is missing.
    """
    levels = [_level(outputs, output, spec, class_count, stride) for stride in output.strides]
    return Candidates(
        boxes=tf.concat([level.boxes for level in levels], axis=1),
        scores=tf.concat([level.scores for level in levels], axis=1),
        classes=tf.concat([level.classes for level in levels], axis=1),
    )


def _level(
    outputs: Mapping[str, Any], output: Nanodet, spec: PictureInput, class_count: int, stride: int
) -> Candidates:
    columns, rows = -(-spec.width_pixels // stride), -(-spec.height_pixels // stride)
    scores = shaped_output(outputs, (columns * rows, class_count))
    distances = shaped_output(outputs, (columns * rows, 4 * (output.reg_max + 1)))
    return Candidates(
        boxes=_boxes(distances, output.reg_max + 1, columns, stride),
        scores=tf.reduce_max(scores, axis=2),
        classes=tf.argmax(scores, axis=2, output_type=tf.int32),
    )


def _boxes(distances: Any, steps: int, columns: int, stride: int) -> Any:
    """Turn distance distributions into boxes, float32 [N, cells, 4]."""
    cells = distances.shape[1]
    logits = tf.reshape(distances, [-1, cells, 4, steps])
    weights = tf.exp(logits - tf.reduce_max(logits, axis=-1, keepdims=True))
    mean = tf.reduce_sum(weights * tf.range(steps, dtype=tf.float32), axis=-1) / tf.reduce_sum(weights, axis=-1)
    left, top, right, bottom = tf.unstack(mean * float(stride), axis=-1)
    cell = tf.range(cells)
    x = (tf.cast(cell % columns, tf.float32) + 0.5) * float(stride)
    y = (tf.cast(cell // columns, tf.float32) + 0.5) * float(stride)
    return tf.stack([x - left, y - top, x + right, y + bottom], axis=-1)

"""NanoDet's head in the graph; the same reading as `proxy/decoders/nanodet.py`, which explains it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from proxy.decoders.nanodet import Nanodet
from proxy.pictures.picture_input import PictureInput
from publisher.graph.candidates import Boxes, Candidates
from publisher.graph.outputs import shaped_output

Cells = npt.NDArray[np.float32]


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
    steps = output.reg_max + 1
    levels = [_cells(spec, stride) for stride in output.strides]
    scores = tf.concat([shaped_output(outputs, (len(level), class_count)) for level in levels], axis=1)
    distances = tf.concat([shaped_output(outputs, (len(level), 4 * steps)) for level in levels], axis=1)
    cells = tf.constant(np.concatenate(levels))

    def read(index: Any) -> Boxes:
        chosen = tf.gather(scores, index, batch_dims=1)
        corners = _corners(tf.gather(distances, index, batch_dims=1), tf.gather(cells, index), steps)
        return Boxes(corners=corners, classes=tf.argmax(chosen, axis=2, output_type=tf.int32))

    return Candidates(scores=tf.reduce_max(scores, axis=2), read=read)


def _cells(spec: PictureInput, stride: int) -> Cells:
    """Return the centre of each cell of a level and its stride, float32 [cells, 3] as x, y, stride."""
    columns, rows = -(-spec.width_pixels // stride), -(-spec.height_pixels // stride)
    cell = np.arange(columns * rows)
    x = (cell % columns + np.float32(0.5)) * np.float32(stride)
    y = (cell // columns + np.float32(0.5)) * np.float32(stride)
    return np.stack([x, y, np.full_like(x, stride)], axis=1).astype(np.float32)


def _corners(distances: Any, cells: Any, steps: int) -> Any:
    """Turn distance distributions [N, k, 4 * steps] around cells [N, k, 3] into boxes, float32 [N, k, 4]."""
    logits = tf.reshape(distances, [*tf.unstack(tf.shape(distances)[:2]), 4, steps])
    weights = tf.exp(logits - tf.reduce_max(logits, axis=-1, keepdims=True))
    mean = tf.reduce_sum(weights * tf.range(steps, dtype=tf.float32), axis=-1) / tf.reduce_sum(weights, axis=-1)
    x, y, stride = (cells[..., number] for number in range(3))
    left, top, right, bottom = (mean[..., number] * stride for number in range(4))
    return tf.stack([x - left, y - top, x + right, y + bottom], axis=-1)

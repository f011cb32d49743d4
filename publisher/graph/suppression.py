"""Non-maximum suppression of a whole batch, equal to the proxy's (`proxy/decoders/nms.py`), with matrices alone.

Greedy suppression keeps a box unless a stronger kept box of its class overlaps it. Written for all boxes at once, that
is an equation: `keep = not any(stronger, kept and overlapping)`. It has one solution, and putting any guess into its
right side again and again finds it: after step i the strongest i boxes are right. A step is a product of a matrix and a
vector; a handful of steps are enough for real pictures.
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from publisher.graph.candidates import Boxes, Candidates

MOST_CANDIDATES = 1000
"""Of more boxes over the threshold, the strongest are looked at; the matrix has the square of this many values."""

_ANY_MATRIX = tf.TensorShape([None, None])
_NO_ROW = [0.0, 0.0, 0.0, 0.0, -1.0, 0.0]


def detections(candidates: Candidates, score_threshold: Any, iou_threshold: Any, max_detections: Any) -> Any:
    """Choose the boxes to keep, per picture and class, strongest first.

    A score that is not a number ranks first, so that whoever reads the answer sees it.

    Args:
        candidates: All boxes.
        score_threshold: float32 []; weaker ones go.
        iou_threshold: float32 []; the overlap (intersection over union) that two boxes of one class may have.
        max_detections: int32 []; the most boxes kept per picture, over all classes.

    Returns:
        float32 [N, m, 6] as x1, y1, x2, y2, score, class; m is the most of any picture, and the others end in rows of
        zeros with the score -1.
    """
    strength, index = _strongest(candidates.scores, score_threshold)
    boxes = candidates.read(index)
    scores = tf.gather(candidates.scores, index, batch_dims=1)
    kept = _kept(boxes, iou_threshold) & (strength >= 0)
    most = tf.minimum(_most(kept), max_detections)
    strength, index = _top(tf.where(kept, strength, -1.0), most)
    rows = tf.gather(_rows(boxes, scores), index, batch_dims=1)
    return tf.where((strength >= 0)[..., None], rows, tf.constant(_NO_ROW))[:, :most]


def _strongest(scores: Any, score_threshold: Any) -> tuple[Any, Any]:
    """Return strengths, falling, and the boxes' numbers; what is under the threshold has the strength -1."""
    ranked = tf.where(tf.math.is_nan(scores), float("inf"), scores)
    reaching = ranked >= score_threshold
    return _top(tf.where(reaching, ranked, -1.0), tf.minimum(_most(reaching), MOST_CANDIDATES))


def _most(marked: Any) -> Any:
    """Return how many are marked in the picture that has the most."""
    return tf.reduce_max(tf.reduce_sum(tf.cast(marked, tf.int32), axis=1))


def _top(strength: Any, count: Any) -> tuple[Any, Any]:
    """Return the strongest and their numbers, those of equal strength in their order; at least one.

    OpenVINO takes no top-0.
    """
    return tf.math.top_k(strength, tf.maximum(count, 1))


def _rows(boxes: Boxes, scores: Any) -> Any:
    return tf.concat([boxes.corners, scores[..., None], tf.cast(boxes.classes, tf.float32)[..., None]], axis=2)


def _kept(by_strength: Boxes, iou_threshold: Any) -> Any:
    """Solve the equation of the greedy suppression; bool [N, k]."""
    ousts = tf.cast(_ousts(by_strength, iou_threshold), tf.float32)

    def step(kept: Any, before: Any) -> tuple[Any, Any]:
        del before
        return tf.cast(tf.linalg.matvec(ousts, kept, transpose_a=True) == 0, tf.float32), kept

    def changes(kept: Any, before: Any) -> Any:
        return tf.reduce_any(kept != before)

    everything = tf.ones_like(by_strength.classes, tf.float32)
    kept, _ = tf.while_loop(
        changes,
        step,
        step(everything, everything),
        shape_invariants=(_ANY_MATRIX, _ANY_MATRIX),
        maximum_iterations=MOST_CANDIDATES,
    )
    return kept > 0


def _ousts(by_strength: Boxes, iou_threshold: Any) -> Any:
    """Say which box (second axis) would oust which weaker one (third axis); bool [N, k, k]."""
    classes = by_strength.classes
    number = tf.range(tf.shape(classes)[1])
    stronger = number[:, None] < number[None, :]
    same_class = classes[:, :, None] == classes[:, None, :]
    return same_class & stronger & (_overlaps(by_strength.corners) > iou_threshold)


def _overlaps(corners: Any) -> Any:
    """Return the intersection over union of every two boxes, float32 [N, k, k]; 0 where both are empty."""
    left, top, right, bottom = (corners[:, :, side] for side in range(4))
    areas = tf.maximum(right - left, 0.0) * tf.maximum(bottom - top, 0.0)
    width = tf.minimum(right[:, :, None], right[:, None, :]) - tf.maximum(left[:, :, None], left[:, None, :])
    height = tf.minimum(bottom[:, :, None], bottom[:, None, :]) - tf.maximum(top[:, :, None], top[:, None, :])
    intersection = tf.maximum(width, 0.0) * tf.maximum(height, 0.0)
    union = areas[:, :, None] + areas[:, None, :] - intersection
    return tf.where(union > 0, intersection / union, 0.0)

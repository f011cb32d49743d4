"""Non-maximum suppression: of boxes that show one thing, keep the strongest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Integers = NDArray[np.intp]

MOST_CANDIDATES = 1000
"""Of more boxes only so many, the strongest, are looked at: a low threshold must not make one picture take seconds."""


def suppress_overlaps(boxes: Floats, scores: Floats, classes: Integers, iou_threshold: float, limit: int) -> Integers:
    """Choose the boxes to keep, per class, strongest first.

    A box goes when a stronger kept box of the same class overlaps it by more than `iou_threshold` (intersection over
    union). Boxes of equal score keep their order. Beyond the `MOST_CANDIDATES` strongest none is looked at.

    Args:
        boxes: float32 [n, 4] as x1, y1, x2, y2.
        scores: float32 [n].
        classes: [n].
        iou_threshold: From 0 to 1.
        limit: The most boxes kept, over all classes.

    Returns:
        Indices into `boxes`, at most `limit`, by falling score.
    """
    waiting = _strongest(scores)
    areas = np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)
    kept: list[int] = []
    while waiting.size and len(kept) < limit:
        strongest, waiting = waiting[0], waiting[1:]
        kept.append(int(strongest))
        overlap = _iou(boxes, areas, int(strongest), waiting)
        waiting = waiting[(classes[waiting] != classes[strongest]) | (overlap <= iou_threshold)]
    return np.array(kept, np.intp)


def _strongest(scores: Floats) -> Integers:
    """Return the indices of at most `MOST_CANDIDATES` scores, by falling score; of equal ones the first come first."""
    if scores.size <= MOST_CANDIDATES:
        return np.argsort(-scores, kind="stable")
    weakest = np.partition(scores, scores.size - MOST_CANDIDATES)[scores.size - MOST_CANDIDATES]
    above = np.flatnonzero(scores > weakest)
    at = np.flatnonzero(scores == weakest)[: MOST_CANDIDATES - above.size]
    chosen = np.sort(np.concatenate([above, at]))
    return chosen[np.argsort(-scores[chosen], kind="stable")]


def _iou(boxes: Floats, areas: Floats, one: int, many: Integers) -> Floats:
    """Return intersection over union of one box with each of many; 0 where both are empty."""
    box, others = boxes[one], boxes[many]
    width = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    height = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    intersection = np.maximum(width, 0) * np.maximum(height, 0)
    union = areas[one] + areas[many] - intersection
    return np.divide(intersection, union, out=np.zeros_like(union), where=union > 0)

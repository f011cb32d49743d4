"""Decode NanoDet: per stride one output of class scores and one of box distances as distributions.

The head is that of Generalized Focal Loss (Li et al. 2020, https://arxiv.org/abs/2006.04388): each side's distance
from the cell's centre is the mean of a softmax over `reg-max + 1` steps, in units of the stride.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from proxy.decoders.nms import suppress_overlaps
from proxy.decoders.outputs import Outputs, refuse_non_numbers, shaped_output
from proxy.decoders.results import Detections
from proxy.document import Document
from proxy.pictures.picture_input import PictureInput

Floats = NDArray[np.float32]


class Nanodet(Document):
    """Read detections out of NanoDet's raw head; class scores are already probabilities."""

    task: ClassVar = "object-detection"

    decoder: Literal["nanodet"]
    score_threshold: float = Field(default=0.35, ge=0, le=1)
    iou_threshold: float = Field(default=0.5, ge=0, le=1)
    max_detections: int = Field(default=100, gt=0)
    strides: tuple[int, ...] = (8, 16, 32)
    """Input pixels per cell, one for each level of the head."""
    reg_max: int = Field(default=10, gt=0)
    """The longest distance, in strides."""

    def decode(self, outputs: Outputs, spec: PictureInput, class_count: int) -> Detections:
        """Read boxes in pixels of the model's input.

        Args:
            outputs: Per stride, scores [1, cells, class_count] and distances [1, cells, 4 * (reg_max + 1)].
            spec: The input's size, which tells the number of cells.
            class_count: The number of labels, which tells scores from distances.

        Raises:
            AnswerInvalid: An output is missing or holds NaN.
        """
        levels = [self._decode_level(outputs, spec, class_count, stride) for stride in self.strides]
        boxes, scores, classes = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        refuse_non_numbers(boxes, "boxes")
        kept = suppress_overlaps(boxes, scores, classes, self.iou_threshold, self.max_detections)
        return Detections(boxes=boxes[kept], scores=scores[kept], classes=classes[kept])

    def _decode_level(
        self, outputs: Outputs, spec: PictureInput, class_count: int, stride: int
    ) -> tuple[Floats, Floats, NDArray[np.intp]]:
        """Decode the cells of one stride whose best class reaches the threshold."""
        columns, rows = -(-spec.width_pixels // stride), -(-spec.height_pixels // stride)
        scores = shaped_output(outputs, (1, columns * rows, class_count))[0]
        distances = shaped_output(outputs, (1, columns * rows, 4 * (self.reg_max + 1)))[0]
        refuse_non_numbers(scores, f"scores of stride {stride}")
        best = scores.max(axis=1)
        cells = np.flatnonzero(best >= self.score_threshold)
        boxes = self._boxes(cells, distances[cells], columns, stride)
        return boxes, best[cells], scores[cells].argmax(axis=1)

    def _boxes(self, cells: NDArray[np.intp], distances: Floats, columns: int, stride: int) -> Floats:
        """Turn the distance distributions of some cells into boxes, float32 [n, 4]."""
        logits = distances.reshape(-1, 4, self.reg_max + 1)
        weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
        steps = np.arange(self.reg_max + 1, dtype=np.float32)
        left, top, right, bottom = ((weights @ steps) / weights.sum(axis=-1) * np.float32(stride)).T
        x = (cells % columns + np.float32(0.5)).astype(np.float32) * np.float32(stride)
        y = (cells // columns + np.float32(0.5)).astype(np.float32) * np.float32(stride)
        return np.stack([x - left, y - top, x + right, y + bottom], axis=1)

"""Decode YOLO's heads from version 5 on: one tensor of boxes, each with its class scores, not suppressed yet.

Version 5 and 7 export rows of centre x, centre y, width, height, objectness, class scores; 8 and 11 export the same
as columns, without the objectness. All values have passed the sigmoid.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from proxy.decoders.nms import suppress_overlaps
from proxy.decoders.outputs import Outputs, named_output, refuse_non_numbers, unexpected_outputs
from proxy.decoders.results import Detections
from proxy.document import Document
from proxy.pictures.picture_input import PictureInput

Floats = NDArray[np.float32]

_BOX = 4


class Yolo(Document):
    """Read detections out of YOLO's raw head."""

    task: ClassVar = "object-detection"

    decoder: Literal["yolo"]
    tensor: str
    layout: Literal["rows", "columns"] = "rows"
    """[1, n, values] or [1, values, n]."""
    objectness: bool = True
    """Whether the first score says that there is anything at all; the class scores are then multiplied by it."""
    coordinates: Literal["pixels", "relative"] = "pixels"
    """Boxes in pixels of the model's input, or in parts of it from 0 to 1."""
    score_threshold: float = Field(default=0.25, ge=0, le=1)
    iou_threshold: float = Field(default=0.45, ge=0, le=1)
    max_detections: int = Field(default=100, gt=0)

    def decode(self, outputs: Outputs, spec: PictureInput, class_count: int) -> Detections:
        """Read boxes in pixels of the model's input; a box is of its likeliest class alone.

        Args:
            outputs: `tensor` as [1, n, values] or [1, values, n], as `layout` says, with 4 values of the box, the
                objectness if there is one, and a score per class.
            spec: The input's size, for relative coordinates.
            class_count: The number of labels.

        Raises:
            AnswerInvalid: The output is missing, has another shape or holds NaN where it matters.
        """
        rows, first_score = self._rows(outputs, class_count), _BOX + self.objectness
        # Nearly all boxes are of nothing, so those are left out before anything is computed of their class scores.
        likely, best = self._likely(rows)
        candidates = rows[likely]
        refuse_non_numbers(candidates, self.tensor)
        classes = candidates[:, first_score:].argmax(axis=1)
        scores = best if not self.objectness else candidates[:, _BOX] * candidates[:, first_score:].max(axis=1)
        strong = scores >= self.score_threshold
        boxes, scores, classes = self._boxes(candidates[strong, :_BOX], spec), scores[strong], classes[strong]
        kept = suppress_overlaps(boxes, scores, classes, self.iou_threshold, self.max_detections)
        return Detections(boxes=boxes[kept], scores=scores[kept], classes=classes[kept])

    def _rows(self, outputs: Outputs, class_count: int) -> Floats:
        """Return the one picture's boxes as [n, values], a view."""
        values = _BOX + self.objectness + class_count
        found = named_output(outputs, self.tensor)
        axis = 2 if self.layout == "rows" else 1
        if found.ndim != 3 or found.shape[0] != 1 or found.shape[axis] != values:
            shape = f"[1, n, {values}]" if self.layout == "rows" else f"[1, {values}, n]"
            raise unexpected_outputs(outputs, f"{self.tensor!r} of shape {shape} for {class_count} labels")
        return found[0] if self.layout == "rows" else found[0].T

    def _likely(self, rows: Floats) -> tuple[NDArray[np.intp], Floats]:
        """Return which boxes may reach the threshold, and by which score: a product is no more than its objectness."""
        best = rows[:, _BOX] if self.objectness else rows[:, _BOX:].max(axis=1)
        refuse_non_numbers(best, self.tensor)  # The largest of some numbers is NaN where one of them is.
        likely = np.flatnonzero(best >= self.score_threshold)
        return likely, best[likely]

    def _boxes(self, centred: Floats, spec: PictureInput) -> Floats:
        """Turn centre and size into corners, in pixels."""
        half = centred[:, 2:] / 2
        boxes = np.concatenate([centred[:, :2] - half, centred[:, :2] + half], axis=1, dtype=np.float32)
        if self.coordinates == "relative":
            boxes *= np.array([spec.width_pixels, spec.height_pixels] * 2, np.float32)
        return boxes

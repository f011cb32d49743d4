"""Decode CenterNet exported with its top-100 peaks: rows of x1, y1, x2, y2, score, class.

The peaks are the strongest of the heat map, not suppressed across neighbours, so one thing may have several rows.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from proxy.decoders.nms import suppress_overlaps
from proxy.decoders.outputs import Outputs, named_output, refuse_non_numbers, unexpected_outputs
from proxy.decoders.results import Detections
from proxy.document import Document
from proxy.pictures.picture_input import PictureInput


class Centernet(Document):
    """Read detections out of rows of boxes."""

    task: ClassVar = "object-detection"

    decoder: Literal["centernet"]
    tensor: str = "detections"
    score_threshold: float = Field(default=0.25, ge=0, le=1)
    iou_threshold: float = Field(default=0.5, ge=0, le=1)
    max_detections: int = Field(default=100, gt=0)

    def decode(self, outputs: Outputs, spec: PictureInput, class_count: int) -> Detections:
        """Read boxes in pixels of the model's input.

        Args:
            outputs: `tensor` as [1, n, 6].
            spec: Unused: the rows are in pixels of the input already.
            class_count: Unused: the rows name their class.

        Raises:
            AnswerInvalid: The output is missing, has another shape or holds NaN.
        """
        del spec, class_count
        rows = named_output(outputs, self.tensor)
        if rows.ndim != 3 or rows.shape[0] != 1 or rows.shape[2] != 6:
            raise unexpected_outputs(outputs, f"{self.tensor!r} of shape [1, n, 6]")
        refuse_non_numbers(rows, self.tensor)
        rows = rows[0, rows[0, :, 4] >= self.score_threshold]
        boxes, scores, classes = rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp)
        kept = suppress_overlaps(boxes, scores, classes, self.iou_threshold, self.max_detections)
        return Detections(boxes=boxes[kept], scores=scores[kept], classes=classes[kept])

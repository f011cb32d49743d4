"""The frame: where the pixels of a model's input lie on the source picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Map points of the model's input onto the source picture: `source = (point - offset) / scale`.

    All values are in pixels; scales are input pixels per source pixel.
    """

    source_width: int
    source_height: int
    scale_x: float
    scale_y: float
    offset_x: float = 0.0
    offset_y: float = 0.0

    def boxes_to_source(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn boxes of the input, float32 [n, 4] as x1, y1, x2, y2, into boxes of the source, clipped to its edges."""
        offset = np.array([self.offset_x, self.offset_y] * 2, np.float32)
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        edge = np.array([self.source_width, self.source_height] * 2, np.float32)
        return np.clip((boxes - offset) / scale, np.float32(0), edge)

    def onto(self, outer: Frame) -> Frame:
        """Return the frame that leads from the points of this one, over its source, onto the source of `outer`."""
        return Frame(
            source_width=outer.source_width,
            source_height=outer.source_height,
            scale_x=self.scale_x * outer.scale_x,
            scale_y=self.scale_y * outer.scale_y,
            offset_x=self.offset_x + outer.offset_x * self.scale_x,
            offset_y=self.offset_y + outer.offset_y * self.scale_y,
        )

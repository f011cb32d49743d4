"""Results: what a decoder reads out of a model's tensors, before it becomes an answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Detections:
    """Hold boxes on one picture, strongest first."""

    boxes: NDArray[np.float32]
    """[n, 4] as x1, y1, x2, y2."""
    scores: NDArray[np.float32]
    """[n], from 0 to 1."""
    classes: NDArray[np.intp]
    """[n], counted from 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Classifications:
    """Hold the likeliest classes of one picture, likeliest first."""

    scores: NDArray[np.float32]
    """[k], from 0 to 1."""
    classes: NDArray[np.intp]
    """[k], counted from 0."""

"""Candidates: every box that a detector's outputs speak of, before the weak and the doubled ones go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Hold tensors of N pictures with n boxes each, in the order in which the proxy's decoder sees them."""

    boxes: Any
    """float32 [N, n, 4] as x1, y1, x2, y2 in pixels of the model's input."""
    scores: Any
    """float32 [N, n]."""
    classes: Any
    """int32 [N, n]."""

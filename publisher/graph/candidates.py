"""Candidates: every box that a detector's outputs speak of, before the weak and the doubled ones go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Boxes:
    """Hold boxes of N pictures, k each."""

    corners: Any
    """float32 [N, k, 4] as x1, y1, x2, y2 in pixels of the model's input."""
    classes: Any
    """int32 [N, k]."""


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """Hold the scores of N pictures with n boxes each, in the order in which the proxy's decoder sees them."""

    scores: Any
    """float32 [N, n]."""
    read: Callable[[Any], Boxes]
    """Reads the boxes whose numbers are given, int32 [N, k]: most of n boxes are too weak to be computed."""

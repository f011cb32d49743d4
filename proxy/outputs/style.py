"""The style of an answer: what its writer must know beside the result."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.card import ModelCard
from proxy.outputs.media import Media


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Hold the model that answered, and the wishes of the sender."""

    model: str
    card: ModelCard
    media: Media
    decimals: int | None = None
    """Of numbers in JSON; all that they have when None."""

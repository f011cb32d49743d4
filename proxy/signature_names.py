"""Signature names: what the publisher adds to a model, and what the proxy looks for in it.

An added signature has in its name a fingerprint of the card that it was made from. After an edit of the card that
changes what goes into the model or how its outputs are read, the names no longer match and the proxy leaves the stale
signatures alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from proxy.card import CardDocument

PIXELS = "pixels"
"""The input of the pixel signatures: uint8 [N, height, width, 3], RGB, of the model's size."""
ENCODED = "encoded"
"""The input of the encoded signatures: string [N], JPEG files."""
SCORE_THRESHOLD = "score_threshold"
"""Input of the detections signatures: float32 []."""
IOU_THRESHOLD = "iou_threshold"
"""Input of the detections signatures: float32 []."""
MAX_DETECTIONS = "max_detections"
"""Input of the detections signatures: int32 []."""
K = "k"
"""Input of the top-k signatures: int32 []."""
DETECTIONS = "detections"
"""Output of the detections signatures: float32 [N, m, 6] as x1, y1, x2, y2, score, class; a score of -1 is no row."""
SCORES = "scores"
"""Output of the top-k signatures: float32 [N, k]."""
CLASSES = "classes"
"""Output of the top-k signatures: int32 [N, k]."""

Answer = Literal["detections", "top_k"]

_ADDED = re.compile(r"(pixels|encoded)(_detections|_top_k)?_[0-9a-f]{8}")
_ANSWERS: dict[str, Answer] = {"object-detection": "detections", "image-classification": "top_k"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureNames:
    """Hold the names of a model's added signatures."""

    pixels: str
    """Pixels in, the original outputs out."""
    encoded: str
    """JPEG files in, the original outputs out."""
    answer: Answer | None
    """What the graph can read out of the outputs by itself, by the card's task."""
    pixels_answer: str | None
    """Pixels in, detections or the likeliest classes out."""
    encoded_answer: str | None
    """JPEG files in, detections or the likeliest classes out."""


def signature_names(card: CardDocument) -> SignatureNames | None:
    """Return the names of the signatures that fit a card, or None where it describes no picture."""
    if card.input is None:
        return None
    mark = card.fingerprint
    answer = _ANSWERS.get(card.task)
    return SignatureNames(
        pixels=f"pixels_{mark}",
        encoded=f"encoded_{mark}",
        answer=answer,
        pixels_answer=None if answer is None else f"pixels_{answer}_{mark}",
        encoded_answer=None if answer is None else f"encoded_{answer}_{mark}",
    )


def is_added(signature: str) -> bool:
    """Say whether a signature's name is one that the publisher gives, for this card or another."""
    return _ADDED.fullmatch(signature) is not None

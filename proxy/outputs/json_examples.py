"""The answers of Classify and Regress, in the form of TensorFlow Serving's REST API."""

from __future__ import annotations

from proxy.outputs.answers import write_json
from proxy.outputs.rounding import round_to
from proxy.wire.examples import ClassifyAnswer, RegressAnswer


def classify_answer(answer: ClassifyAnswer, decimals: int | None = None) -> bytes:
    """Write, for each example, its classes as pairs of label and score."""
    rows = zip(answer.labels, answer.scores, strict=True)
    results = [
        [[label, score] for label, score in zip(labels, round_to(scores, decimals), strict=True)]
        for labels, scores in rows
    ]
    return write_json({"results": results})


def regress_answer(answer: RegressAnswer, decimals: int | None = None) -> bytes:
    """Write, for each example, its number."""
    return write_json({"results": round_to(answer.values, decimals)})

"""Answers: what a graph reads out of the model's outputs by itself; one class per task."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

from proxy.card import CardDocument
from proxy.decoders.top_k import TopK
from proxy.signature_names import (
    CLASSES,
    DETECTIONS,
    IOU_THRESHOLD,
    MAX_DETECTIONS,
    SCORE_THRESHOLD,
    SCORES,
    K,
)
from publisher.graph import centernet, nanodet, yolo
from publisher.graph.candidates import Candidates
from publisher.graph.suppression import detections
from publisher.graph.top_k import top_k

Tensors = Mapping[str, Any]
Answer = Callable[[Tensors, Tensors], dict[str, Any]]
"""Takes the model's outputs and the settings of the request, each by name."""

_CANDIDATES: dict[str, Callable[..., Candidates]] = {
    "nanodet": nanodet.candidates,
    "centernet": centernet.candidates,
    "yolo": yolo.candidates,
}
"""A new decoder of boxes is a file here like the one in the proxy, and its name in this table."""


def settings_of(card: CardDocument) -> list[Any]:
    """Return what a request sets beside the picture, as tf.TensorSpecs."""
    if isinstance(card.output, TopK):
        return [tf.TensorSpec([], tf.int32, name=K)]
    return [
        tf.TensorSpec([], tf.float32, name=SCORE_THRESHOLD),
        tf.TensorSpec([], tf.float32, name=IOU_THRESHOLD),
        tf.TensorSpec([], tf.int32, name=MAX_DETECTIONS),
    ]


def answer_of(card: CardDocument, class_count: int) -> Answer | None:
    """Return the answer that a card's decoder can have in the graph, or None where it has none."""
    output, spec = card.output, card.input
    if isinstance(output, TopK):
        return _likeliest_classes(output, class_count)
    if output is None or spec is None or output.decoder not in _CANDIDATES:
        return None
    candidates = _CANDIDATES[output.decoder]

    def boxes(outputs: Tensors, settings: Tensors) -> dict[str, Any]:
        found = candidates(outputs, output, spec, class_count)
        limits = (settings[name] for name in (SCORE_THRESHOLD, IOU_THRESHOLD, MAX_DETECTIONS))
        return {DETECTIONS: detections(found, *limits)}

    return boxes


def _likeliest_classes(output: TopK, class_count: int) -> Answer:
    def classes(outputs: Tensors, settings: Tensors) -> dict[str, Any]:
        scores, likeliest = top_k(outputs, output, class_count, settings[K])
        return {SCORES: scores, CLASSES: likeliest}

    return classes

"""What was found on a picture, as JSON or as a .npy file."""

from __future__ import annotations

from typing import Any

import numpy as np

from proxy.card import ModelCard
from proxy.outputs.answer import Answer
from proxy.outputs.answers import write_json
from proxy.outputs.media import Media
from proxy.outputs.npy import write_npy
from proxy.outputs.result import ClassificationsResult, DetectionsResult
from proxy.outputs.rounding import round_to
from proxy.outputs.style import Style

Document = dict[str, Any]


def write_detections(result: DetectionsResult, style: Style) -> Answer:
    """Write boxes, strongest first, with the size of the picture that they lie on."""
    return _json(detections_document(result, style))


def write_classifications(result: ClassificationsResult, style: Style) -> Answer:
    """Write the likeliest classes."""
    return _json(classifications_document(result, style))


def detections_document(result: DetectionsResult, style: Style) -> Document:
    """Return boxes in pixels of the source picture, ready for `orjson`."""
    found = result.found
    boxes, scores = round_to(found.boxes, style.decimals), round_to(found.scores, style.decimals)
    rows = zip(found.classes.tolist(), scores, boxes, strict=True)
    detections = [{**_labelled(style.card, number, score), "box": box} for number, score, box in rows]
    image = {"width": result.frame.source_width, "height": result.frame.source_height}
    return {"model": style.model, "version": str(result.version), "detections": detections, "image": image}


def classifications_document(result: ClassificationsResult, style: Style) -> Document:
    """Return the likeliest classes, ready for `orjson`."""
    rows = zip(result.found.classes.tolist(), round_to(result.found.scores, style.decimals), strict=True)
    classifications = [_labelled(style.card, number, score) for number, score in rows]
    return {"model": style.model, "version": str(result.version), "classifications": classifications}


def write_boxes(result: DetectionsResult, style: Style) -> Answer:
    """Write float32 [n, 6]: x1, y1, x2, y2, score, class."""
    del style
    found = result.found
    rows = np.column_stack([found.boxes, found.scores, found.classes]).astype(np.float32)
    return Answer(write_npy(rows), Media.NPY.value)


def write_classes(result: ClassificationsResult, style: Style) -> Answer:
    """Write float32 [k, 2]: score, class."""
    del style
    rows = np.column_stack([result.found.scores, result.found.classes]).astype(np.float32)
    return Answer(write_npy(rows), Media.NPY.value)


def _labelled(card: ModelCard, number: int, score: np.float32) -> Document:
    return {"label": card.label(number), "class": number, "score": score}


def _json(document: Document) -> Answer:
    return Answer(write_json(document))

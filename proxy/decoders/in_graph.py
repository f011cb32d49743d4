"""Answers that are read already: thresholds, suppression or ranking were done in the model's graph."""

from __future__ import annotations

import numpy as np

from proxy import signature_names
from proxy.decoders.outputs import Outputs, named_output, refuse_non_numbers, unexpected_outputs
from proxy.decoders.results import Classifications, Detections


def read_detections(outputs: Outputs) -> Detections:
    """Read the boxes of one picture.

    Args:
        outputs: `detections` as [1, m, 6] of x1, y1, x2, y2, score, class; after the last box of the picture come rows
            with a score below 0, where another picture of the batch had more.

    Raises:
        AnswerInvalid: The output is missing, has another shape or holds NaN.
    """
    name = signature_names.DETECTIONS
    rows = named_output(outputs, name)
    if rows.ndim != 3 or rows.shape[0] != 1 or rows.shape[2] != 6:
        raise unexpected_outputs(outputs, f"{name!r} of shape [1, m, 6]")
    refuse_non_numbers(rows, name)
    found = rows[0, rows[0, :, 4] >= 0]
    return Detections(boxes=found[:, :4], scores=found[:, 4], classes=found[:, 5].astype(np.intp))


def read_top_k(outputs: Outputs) -> Classifications:
    """Read the likeliest classes of one picture.

    Args:
        outputs: `scores` and `classes`, each [1, k].

    Raises:
        AnswerInvalid: An output is missing, has another shape or holds NaN.
    """
    scores = named_output(outputs, signature_names.SCORES)
    classes = named_output(outputs, signature_names.CLASSES)
    if scores.ndim != 2 or scores.shape[0] != 1 or classes.shape != scores.shape:
        raise unexpected_outputs(outputs, "scores and classes of one shape [1, k]")
    refuse_non_numbers(scores, signature_names.SCORES)
    return Classifications(scores=scores[0], classes=classes[0].astype(np.intp))

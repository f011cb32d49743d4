"""The names of added signatures follow the card, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.card import CardDocument
from proxy.signature_names import is_added, signature_names

DETECTOR: dict[str, Any] = {
    "task": "object-detection",
    "input": {"tensor": "x", "width-pixels": 64, "height-pixels": 32},
    "output": {"decoder": "centernet"},
    "labels": "labels.txt",
}


def edited(section: str, **keys: Any) -> CardDocument:
    """Return the detector's card with other keys in a section."""
    changed = DETECTOR[section] | {name.replace("_", "-"): value for name, value in keys.items()}
    return CardDocument.model_validate(DETECTOR | {section: changed})


CARD = edited("input")


@pytest.mark.parametrize("key", ["score_threshold", "iou_threshold"])
def test_a_threshold_is_an_input_and_no_part_of_the_name(key: str) -> None:
    assert edited("output", **{key: 0.75}).fingerprint == CARD.fingerprint


def test_limits_are_inputs_and_no_part_of_the_name() -> None:
    assert edited("output", max_detections=7).fingerprint == CARD.fingerprint
    card = {"task": "image-classification", "input": DETECTOR["input"], "labels": "labels.txt"}
    few, many = (
        CardDocument.model_validate(card | {"output": {"decoder": "top-k", "tensor": "y", "k": k}}) for k in (1, 9)
    )
    assert few.fingerprint == many.fingerprint


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("input", "mean", [1, 2, 3]),
        ("input", "layout", "NCHW"),
        ("input", "channels", "BGR"),
        ("input", "resize", "letterbox"),
        ("input", "height_pixels", 64),
        ("output", "tensor", "boxes"),
    ],
)
def test_what_the_graph_computes_is_part_of_the_name(section: str, key: str, value: Any) -> None:
    assert edited(section, **{key: value}).fingerprint != CARD.fingerprint


def test_a_default_that_is_written_out_changes_nothing() -> None:
    assert edited("input", layout="NHWC", mean=[0, 0, 0]).fingerprint == CARD.fingerprint


def test_the_task_says_what_the_graph_answers() -> None:
    mark = CARD.fingerprint
    names = signature_names(CARD)
    assert names is not None
    assert (names.pixels, names.encoded) == (f"pixels_{mark}", f"encoded_{mark}")
    assert names.pixels_answer == f"pixels_detections_{mark}"
    assert names.encoded_answer == f"encoded_detections_{mark}"
    plain = signature_names(CardDocument.model_validate({"task": "tensor", "input": DETECTOR["input"]}))
    assert plain is not None
    assert (plain.answer, plain.pixels_answer, plain.encoded_answer) == (None, None, None)
    assert signature_names(CardDocument(task="tensor")) is None


@pytest.mark.parametrize(
    ("name", "added"),
    [
        ("pixels_0123abcd", True),
        ("encoded_detections_0123abcd", True),
        ("pixels_top_k_0123abcd", True),
        ("serving_default", False),
        ("pixels", False),
        ("pixels_0123abcd5", False),
        ("my_pixels_0123abcd", False),
        ("encoded_0123ABCD", False),
    ],
)
def test_added_signatures_are_told_by_their_names(name: str, added: bool) -> None:
    assert is_added(name) is added

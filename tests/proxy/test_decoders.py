"""Decoders and suppression, against slow and plain references on random data."""

from __future__ import annotations

import math

import numpy as np
import pytest

from proxy.decoders.centernet import Centernet
from proxy.decoders.in_graph import read_detections, read_top_k
from proxy.decoders.nanodet import Nanodet
from proxy.decoders.nms import MOST_CANDIDATES, suppress_overlaps
from proxy.decoders.top_k import TopK
from proxy.decoders.yolo import Yolo
from proxy.errors import AnswerInvalid
from proxy.pictures.picture_input import PictureInput

SPEC = PictureInput(tensor="image", width_pixels=96, height_pixels=64)
CLASSES = 5


def plain_iou(one: list[float], other: list[float]) -> float:
    """Return intersection over union, a number at a time."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    intersection = max(0.0, width) * max(0.0, height)
    areas = [max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (one, other)]
    union = sum(areas) - intersection
    return intersection / union if union > 0 else 0.0


def plain_suppression(boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, iou: float) -> list[int]:
    """Suppress with two loops."""
    kept: list[int] = []
    for index in sorted(range(len(boxes)), key=lambda index: -scores[index]):
        rivals = [other for other in kept if classes[other] == classes[index]]
        if all(plain_iou(boxes[index].tolist(), boxes[other].tolist()) <= iou for other in rivals):
            kept.append(index)
    return kept


def random_boxes(random: np.random.Generator, count: int) -> np.ndarray:
    """Return boxes that overlap a good deal; one in ten is empty or inside out."""
    corners = random.uniform(0, 60, (count, 2))
    sides = random.uniform(-3, 30, (count, 2))
    return np.concatenate([corners, corners + sides], axis=1).astype(np.float32)


@pytest.mark.parametrize("seed", range(20))
def test_suppression_equals_the_plain_one(seed: int) -> None:
    random = np.random.default_rng(seed)
    count = int(random.integers(0, 120))
    boxes, scores = random_boxes(random, count), random.random(count, np.float32)
    classes = random.integers(0, 3, count)
    expected = plain_suppression(boxes, scores, classes, 0.5)
    assert suppress_overlaps(boxes, scores, classes, 0.5, 1000).tolist() == expected
    assert suppress_overlaps(boxes, scores, classes, 0.5, 7).tolist() == expected[:7]


def test_boxes_of_equal_score_keep_their_order() -> None:
    boxes = np.float32([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]])
    kept = suppress_overlaps(boxes, np.float32([0.5, 0.5, 0.5]), np.zeros(3, np.intp), 0.5, 10)
    assert kept.tolist() == [0, 2]


@pytest.mark.parametrize("values", [10, 100_000])
def test_only_the_strongest_candidates_are_looked_at(values: int) -> None:
    """With few different scores the last of them are equal, and the first of the equal ones are taken."""
    random = np.random.default_rng(0)
    scores = (random.integers(0, values, 5000) / values).astype(np.float32)
    far_apart = np.arange(5000, dtype=np.float32)[:, None] * 10 + np.float32([0, 0, 5, 5])
    kept = suppress_overlaps(far_apart, scores, np.zeros(5000, np.intp), 0.5, 5000)
    assert kept.tolist() == sorted(range(5000), key=lambda index: -scores[index])[:MOST_CANDIDATES]


def random_nanodet(random: np.random.Generator, spec: PictureInput) -> dict[str, np.ndarray]:
    """Return random outputs of NanoDet's head, in no special order."""
    outputs = {}
    for stride in (32, 8, 16):
        cells = math.ceil(spec.width_pixels / stride) * math.ceil(spec.height_pixels / stride)
        outputs[f"s{stride}"] = random.random((1, cells, CLASSES), np.float32)
        outputs[f"d{stride}"] = random.normal(0, 3, (1, cells, 44)).astype(np.float32)
    return outputs


def plain_nanodet(outputs: dict[str, np.ndarray], spec: PictureInput, threshold: float) -> list[tuple]:
    """Decode NanoDet's head a cell at a time, by the formula of the paper."""
    boxes, scores, classes = [], [], []
    for stride in (8, 16, 32):
        columns = math.ceil(spec.width_pixels / stride)
        for cell, (row, sides) in enumerate(
            zip(outputs[f"s{stride}"][0], outputs[f"d{stride}"][0].astype(float), strict=True)
        ):
            if max(row) < threshold:
                continue
            means = []
            for side in sides.reshape(4, 11):
                weights = [math.exp(value) for value in side]
                mean = sum(step * weight for step, weight in enumerate(weights)) / sum(weights)
                means.append(mean * stride)
            x, y = (cell % columns + 0.5) * stride, (cell // columns + 0.5) * stride
            boxes.append([x - means[0], y - means[1], x + means[2], y + means[3]])
            scores.append(max(row))
            classes.append(int(np.argmax(row)))
    kept = plain_suppression(np.array(boxes), np.array(scores), np.array(classes), 0.5)
    return [(boxes[index], scores[index], classes[index]) for index in kept]


@pytest.mark.parametrize("size", [(96, 64), (100, 70)])
@pytest.mark.parametrize("seed", range(10))
def test_nanodet_equals_the_plain_formula(seed: int, size: tuple[int, int]) -> None:
    spec = PictureInput(tensor="image", width_pixels=size[0], height_pixels=size[1])
    outputs = random_nanodet(np.random.default_rng(seed), spec)
    found = Nanodet(decoder="nanodet", score_threshold=0.8, max_detections=1000).decode(outputs, spec, CLASSES)
    expected = plain_nanodet(outputs, spec, 0.8)
    assert found.classes.tolist() == [number for _, _, number in expected]
    assert found.scores.tolist() == [score for _, score, _ in expected]
    assert np.allclose(found.boxes, np.array([box for box, _, _ in expected]), atol=1e-3)


def test_large_logits_do_not_overflow() -> None:
    outputs = random_nanodet(np.random.default_rng(0), SPEC)
    outputs["d8"][:] = 1e4
    found = Nanodet(decoder="nanodet").decode(outputs, SPEC, CLASSES)
    assert np.isfinite(found.boxes).all()


@pytest.mark.parametrize("seed", range(10))
def test_centernet_equals_the_plain_reading(seed: int) -> None:
    random = np.random.default_rng(seed)
    scores, classes = random.random((100, 1), np.float32), random.integers(0, 3, (100, 1))
    rows = np.concatenate([random_boxes(random, 100), scores, classes], axis=1).astype(np.float32)
    found = Centernet(decoder="centernet", score_threshold=0.4).decode({"detections": rows[None]}, SPEC, CLASSES)
    strong = rows[rows[:, 4] >= np.float32(0.4)]
    expected = strong[plain_suppression(strong[:, :4], strong[:, 4], strong[:, 5], 0.5)]
    assert np.array_equal(found.boxes, expected[:, :4])
    assert np.array_equal(found.scores, expected[:, 4])
    assert found.classes.tolist() == expected[:, 5].astype(int).tolist()


def random_yolo(random: np.random.Generator, objectness: bool) -> np.ndarray:
    """Return random rows of YOLO's head: centre, size, perhaps an objectness, class scores."""
    boxes = np.concatenate([random.uniform(0, 90, (300, 2)), random.uniform(0, 40, (300, 2))], axis=1)
    return np.concatenate([boxes, random.random((300, objectness + CLASSES))], axis=1).astype(np.float32)


@pytest.mark.parametrize("coordinates", ["pixels", "relative"])
@pytest.mark.parametrize("layout", ["rows", "columns"])
@pytest.mark.parametrize("objectness", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_yolo_equals_the_plain_reading(seed: int, objectness: bool, layout: str, coordinates: str) -> None:
    rows = random_yolo(np.random.default_rng(seed), objectness)
    boxes, scores, classes = [], [], []
    for x, y, width, height, *rest in rows.astype(float).tolist():
        likelihood = rest.pop(0) if objectness else 1
        if max(rest) * likelihood >= 0.6:
            boxes.append([x - width / 2, y - height / 2, x + width / 2, y + height / 2])
            scores.append(max(rest) * likelihood)
            classes.append(rest.index(max(rest)))
    kept = plain_suppression(np.array(boxes), np.array(scores), np.array(classes), 0.45)
    if coordinates == "relative":
        rows[:, :4] /= np.float32([96, 64, 96, 64])
    decoder = Yolo(
        decoder="yolo",
        tensor="out",
        layout=layout,
        objectness=objectness,
        coordinates=coordinates,
        score_threshold=0.6,
        max_detections=1000,
    )
    found = decoder.decode({"out": (rows if layout == "rows" else rows.T)[None]}, SPEC, CLASSES)
    assert len(kept) > 10
    assert found.classes.tolist() == [classes[index] for index in kept]
    assert np.allclose(found.scores, [scores[index] for index in kept], atol=1e-6)
    assert np.allclose(found.boxes, [boxes[index] for index in kept], atol=1e-4)


def test_yolo_finds_nothing_where_nothing_is() -> None:
    found = Yolo(decoder="yolo", tensor="out").decode({"out": np.zeros((1, 300, 10), np.float32)}, SPEC, CLASSES)
    assert (found.boxes.shape, found.scores.shape, found.classes.shape) == ((0, 4), (0,), (0,))


@pytest.mark.parametrize(("objectness", "column"), [(True, 4), (True, 0), (True, 7), (False, 5), (False, 3)])
def test_yolo_refuses_what_is_no_number(objectness: bool, column: int) -> None:
    rows = random_yolo(np.random.default_rng(0), objectness)
    rows[7, 4:] = 0.9
    rows[7, column] = np.nan
    with pytest.raises(AnswerInvalid, match=r"out: 1 of \d+ values are not numbers"):
        Yolo(decoder="yolo", tensor="out", objectness=objectness).decode({"out": rows[None]}, SPEC, CLASSES)


def test_detections_of_the_graph_end_at_the_padding() -> None:
    rows = np.float32([[1, 2, 3, 4, 0.9, 2], [5, 6, 7, 8, 0, 1], [0, 0, 0, 0, -1, 0], [0, 0, 0, 0, -1, 0]])
    found = read_detections({"detections": rows[None]})
    assert found.boxes.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]
    assert found.scores.tolist() == [np.float32(0.9), 0]
    assert found.classes.tolist() == [2, 1]
    assert read_detections({"detections": np.zeros((1, 0, 6), np.float32)}).boxes.shape == (0, 4)


def test_top_k_of_the_graph_are_taken_as_they_are() -> None:
    found = read_top_k({"scores": np.float32([[0.5, 0.25]]), "classes": np.int32([[7, 3]])})
    assert (found.scores.tolist(), found.classes.tolist()) == ([0.5, 0.25], [7, 3])


@pytest.mark.parametrize(
    ("outputs", "needs"),
    [
        ({}, "an output named 'detections'"),
        ({"detections": np.zeros((2, 3, 6))}, "'detections' of shape [1, m, 6]"),
        ({"detections": np.zeros((1, 3, 5))}, "'detections' of shape [1, m, 6]"),
        ({"scores": np.zeros((1, 3))}, "an output named 'classes'"),
        ({"scores": np.zeros((1, 3)), "classes": np.zeros((1, 2))}, "scores and classes of one shape [1, k]"),
    ],
)
def test_answers_of_the_graph_of_another_shape_are_refused(outputs: dict, needs: str) -> None:
    with pytest.raises(AnswerInvalid) as refusal:
        (read_top_k if "scores" in outputs else read_detections)(outputs)
    assert refusal.value.reason == f"The decoder of the model card needs {needs}"


def test_answers_of_the_graph_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(AnswerInvalid, match="detections: 12 of 12 values"):
        read_detections({"detections": np.full((1, 2, 6), np.nan)})
    with pytest.raises(AnswerInvalid, match="scores: 1 of 2 values"):
        read_top_k({"scores": np.float32([[0.5, np.nan]]), "classes": np.int32([[7, 3]])})


def test_top_k_are_the_likeliest_in_order() -> None:
    scores = np.random.default_rng(0).random((1, 1000), np.float32)
    found = TopK(decoder="top-k", tensor="probabilities", k=5).decode({"probabilities": scores}, SPEC, 1000)
    expected = sorted(range(1000), key=lambda number: -scores[0, number])[:5]
    assert found.classes.tolist() == expected
    assert found.scores.tolist() == scores[0, expected].tolist()


def test_fewer_classes_than_k_are_all_of_them() -> None:
    found = TopK(decoder="top-k", tensor="p", k=5).decode({"p": np.float32([[0.5, 0.5]])}, SPEC, 2)
    assert found.classes.tolist() == [0, 1]


def test_a_missing_output_is_named_with_what_there_is() -> None:
    outputs = random_nanodet(np.random.default_rng(0), SPEC)
    del outputs["d16"]
    with pytest.raises(AnswerInvalid) as refusal:
        Nanodet(decoder="nanodet").decode(outputs, SPEC, CLASSES)
    assert refusal.value.found == "d32 [1, 6, 44], d8 [1, 96, 44], s16 [1, 24, 5], s32 [1, 6, 5], s8 [1, 96, 5]"
    assert refusal.value.reason == "The decoder of the model card needs an output of shape [1, 24, 44]"


@pytest.mark.parametrize(
    ("decoder", "outputs", "needs"),
    [
        (Centernet(decoder="centernet"), {}, "an output named 'detections'"),
        (Centernet(decoder="centernet"), {"detections": np.zeros((1, 5, 5))}, "'detections' of shape [1, n, 6]"),
        (Yolo(decoder="yolo", tensor="o"), {"o": np.zeros((1, 8, 9))}, "'o' of shape [1, n, 10] for 5 labels"),
        (
            Yolo(decoder="yolo", tensor="o", layout="columns", objectness=False),
            {"o": np.zeros((1, 8, 9))},
            "'o' of shape [1, 9, n] for 5 labels",
        ),
        (TopK(decoder="top-k", tensor="p"), {"q": np.zeros((1, 5))}, "an output named 'p'"),
        (TopK(decoder="top-k", tensor="p"), {"p": np.zeros((1, 4))}, "'p' of shape [1, 5], one value per label"),
    ],
)
def test_outputs_of_another_shape_are_refused(decoder: TopK | Centernet | Yolo, outputs: dict, needs: str) -> None:
    with pytest.raises(AnswerInvalid) as refusal:
        decoder.decode(outputs, SPEC, CLASSES)
    assert refusal.value.reason == f"The decoder of the model card needs {needs}"


def test_scores_that_are_no_numbers_are_an_error_and_not_an_empty_answer() -> None:
    outputs = random_nanodet(np.random.default_rng(0), SPEC)
    outputs["s8"][0, 3, 1] = np.nan
    with pytest.raises(AnswerInvalid, match=r"scores of stride 8: 1 of 480 values are not numbers"):
        Nanodet(decoder="nanodet").decode(outputs, SPEC, CLASSES)
    with pytest.raises(AnswerInvalid, match="detections: 6 of 6 values"):
        Centernet(decoder="centernet").decode({"detections": np.full((1, 1, 6), np.nan)}, SPEC, CLASSES)
    with pytest.raises(AnswerInvalid, match="p: 5 of 5 values"):
        TopK(decoder="top-k", tensor="p").decode({"p": np.full((1, 5), np.nan)}, SPEC, CLASSES)

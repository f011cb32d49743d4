"""What the added graphs compute is what the proxy computes: pixels to the bit, boxes to a thousandth of a pixel."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np
import pytest

from proxy.card import CardDocument
from proxy.decoders.in_graph import read_detections, read_top_k
from proxy.decoders.nms import suppress_overlaps
from proxy.pictures.fit import fit_picture
from proxy.pictures.picture_input import PictureInput
from proxy.pictures.preprocess import normalise

RANDOM = np.random.default_rng(3)
CLASSES = 5


def card(output: dict[str, Any], **picture: Any) -> CardDocument:
    """Return a card for pictures of 64 x 32."""
    task = "image-classification" if output["decoder"] == "top-k" else "object-detection"
    section = {"tensor": "x", "width-pixels": 64, "height-pixels": 32} | picture
    return CardDocument.model_validate({"task": task, "input": section, "output": output, "labels": "l"})


@functools.cache
def answer_graph(key: str) -> Any:
    """Trace the answer of one of `CARDS`, so that it runs as it will when it is served."""
    import tensorflow as tf

    from publisher.graph.answers import answer_of

    answer = answer_of(CARDS[key], CLASSES)
    assert answer is not None
    return tf.function(answer, autograph=False)


def answered(key: str, outputs: dict[str, np.ndarray], **settings: Any) -> dict[str, np.ndarray]:
    """Let the graph read outputs."""
    import tensorflow as tf

    types = {"max_detections": np.int32, "k": np.int32}
    given = {name: tf.constant(types.get(name, np.float32)(value)) for name, value in settings.items()}
    found = answer_graph(key)({name: tf.constant(array) for name, array in outputs.items()}, given)
    return {name: tensor.numpy() for name, tensor in found.items()}


CARDS = {
    "nanodet": card({"decoder": "nanodet", "reg-max": 7}),
    "centernet": card({"decoder": "centernet"}),
    "yolo": card({"decoder": "yolo", "tensor": "y"}),
    "yolo-columns": card({"decoder": "yolo", "tensor": "y", "layout": "columns", "objectness": False}),
    "yolo-relative": card({"decoder": "yolo", "tensor": "y", "coordinates": "relative"}),
    "top-k": card({"decoder": "top-k", "tensor": "y"}),
}
DETECTORS = [key for key in CARDS if key != "top-k"]
FEATURES = {"few": 0.2, "many": 0.999, "ties": 0.5}


def head(key: str, pictures: int, kind: str) -> dict[str, np.ndarray]:
    """Make random outputs: mostly weak scores, mostly strong ones, or strong ones of few values."""
    scores = functools.partial(_scores, kind=kind)
    if key == "nanodet":
        cells = {"s8": 8 * 4, "s16": 4 * 2, "s32": 2}
        boxes = {f"b{name}": RANDOM.standard_normal((pictures, n, 4 * 8)).astype("f4") for name, n in cells.items()}
        return {name: scores((pictures, n, CLASSES)) for name, n in cells.items()} | boxes
    rows = _boxes(pictures, 2500)
    if key == "centernet":
        corners = np.concatenate([rows[..., :2], rows[..., :2] + rows[..., 2:]], axis=2)
        classes = RANDOM.integers(0, CLASSES, (pictures, 2500, 1)).astype("f4")
        return {"detections": np.concatenate([corners, scores((pictures, 2500, 1)), classes], axis=2)}
    if key == "yolo-relative":
        rows = rows / np.float32(64)
    parts = [rows, scores((pictures, 2500, CLASSES + (key != "yolo-columns")))]
    values = np.concatenate(parts, axis=2)
    return {"y": np.ascontiguousarray(values.transpose(0, 2, 1)) if key == "yolo-columns" else values}


def _scores(shape: tuple[int, ...], kind: str) -> np.ndarray:
    values = RANDOM.random(shape, np.float32)
    if kind == "few":
        return values**20
    return values if kind == "many" else np.round(values * 4) / np.float32(4)


def _boxes(pictures: int, count: int) -> np.ndarray:
    """Make boxes that overlap in heaps, as corner (or centre) and size."""
    places = RANDOM.integers(0, 6, (pictures, count, 2)) * 10 + RANDOM.random((pictures, count, 2)) * 3
    return np.concatenate([places, RANDOM.random((pictures, count, 2)) * 6 + 4], axis=2).astype("f4")


def one(outputs: dict[str, np.ndarray], number: int) -> dict[str, np.ndarray]:
    """Return the outputs for one picture."""
    return {name: array[number : number + 1] for name, array in outputs.items()}


@pytest.mark.parametrize("kind", FEATURES)
@pytest.mark.parametrize("key", DETECTORS)
@pytest.mark.parametrize(("score", "iou", "limit"), [(0.3, 0.5, 100), (0.05, 0.45, 1000), (0.7, 0.0, 4), (1, 1, 50)])
def test_the_graph_finds_what_the_proxy_finds(key: str, kind: str, score: float, iou: float, limit: int) -> None:
    document = CARDS[key]
    assert document.output is not None
    changes = {"score_threshold": score, "iou_threshold": iou, "max_detections": limit}
    decoder = document.output.model_copy(update=changes)
    outputs = head(key, 2, kind)
    rows = answered(key, outputs, **changes)["detections"]
    wanted = [decoder.decode(one(outputs, number), document.input, CLASSES) for number in range(2)]
    assert rows.shape == (2, max(len(found.scores) for found in wanted), 6)
    for number, expected in enumerate(wanted):
        found = read_detections({"detections": rows[number : number + 1]})
        np.testing.assert_array_equal(found.classes, expected.classes)
        np.testing.assert_allclose(found.scores, expected.scores, rtol=1e-6)
        np.testing.assert_allclose(found.boxes, expected.boxes, atol=1e-3)
        assert (rows[number, len(expected.scores) :] == [0, 0, 0, 0, -1, 0]).all()


def chain(length: int) -> dict[str, np.ndarray]:
    """Return boxes in a row, each overlapping its neighbours alone: keeping one frees the next but one."""
    x = np.arange(length, dtype=np.float32) * 4
    rows = np.stack([x, x * 0, x + 10, x * 0 + 10, 0.9 - x / 10000, x * 0], axis=1)
    return {"detections": rows[None].astype(np.float32)}


def same(length: int) -> dict[str, np.ndarray]:
    """Return one box many times, with one score."""
    return {"detections": np.tile(np.array([1, 1, 5, 5, 0.5, 2], np.float32), (1, length, 1))}


def empty(length: int) -> dict[str, np.ndarray]:
    """Return boxes without an area."""
    return {"detections": np.tile(np.array([3, 3, 3, 3, 0.5, 2], np.float32), (1, length, 1))}


@pytest.mark.parametrize(
    "outputs", [chain(900), chain(1500), same(1200), empty(40)], ids=["chain", "long", "one", "empty"]
)
def test_crafted_overlaps_end_like_the_greedy_way(outputs: dict[str, np.ndarray]) -> None:
    rows = outputs["detections"][0]
    kept = suppress_overlaps(rows[:, :4], rows[:, 4], rows[:, 5].astype(np.intp), 0.4, 2000)
    found = answered("centernet", outputs, score_threshold=0.1, iou_threshold=0.4, max_detections=2000)["detections"]
    np.testing.assert_array_equal(found[0], rows[kept])


@pytest.mark.parametrize("threshold", [0.3, 1.0])
def test_a_score_that_is_no_number_is_not_lost(threshold: float) -> None:
    outputs = chain(5)
    outputs["detections"][0, 3, 4] = np.nan
    found = answered("centernet", outputs, score_threshold=threshold, iou_threshold=0.5, max_detections=1)
    assert np.isnan(found["detections"]).any()
    scores = np.array([[0.1, np.nan, 0.3, 0.2, 0.0]], np.float32)
    assert np.isnan(answered("top-k", {"y": scores}, k=1)["scores"]).any()


@pytest.mark.parametrize("k", [1, 3, 5, 8])
def test_the_likeliest_classes_are_the_proxys(k: int) -> None:
    scores = np.round(RANDOM.random((4, CLASSES), np.float32) * 3) / np.float32(3)
    document = CARDS["top-k"]
    assert document.output is not None
    decoder = document.output.model_copy(update={"k": k})
    found = answered("top-k", {"y": scores}, k=k)
    assert found["classes"].dtype == np.int32
    for number in range(4):
        expected = decoder.decode({"y": scores[number : number + 1]}, document.input, CLASSES)
        got = read_top_k(one(found, number))
        np.testing.assert_array_equal(got.classes, expected.classes)
        np.testing.assert_array_equal(got.scores, expected.scores)


NORMALISATIONS = {
    "plain": {},
    "imagenet": {"mean": [123.675, 116.28, 103.53], "standard-deviation": [58.395, 57.12, 57.375]},
    "scaled": {"standard-deviation": [255, 255, 255]},
    "shifted": {"mean": [0.1, 127.5, 255]},
}


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("channels", ["RGB", "BGR"])
@pytest.mark.parametrize("keys", NORMALISATIONS.values(), ids=NORMALISATIONS.keys())
def test_every_byte_becomes_the_same_number(keys: dict[str, Any], channels: str, layout: str, dtype: str) -> None:
    import tensorflow as tf

    from publisher.graph.pixels import Normalisation

    if dtype == "uint8" and keys:
        pytest.skip("bytes take no mean and deviation")
    picture = {"tensor": "x", "width-pixels": 16, "height-pixels": 16, "channels": channels, "layout": layout}
    spec = PictureInput.model_validate(picture | keys)
    # Every byte in every channel.
    pixels = np.stack([np.roll(np.arange(256, dtype=np.uint8), shift) for shift in (0, 85, 170)], 1).reshape(16, 16, 3)
    ordered = np.ascontiguousarray(pixels[..., ::-1]) if channels == "BGR" else pixels
    wanted = normalise(ordered, spec, np.dtype(dtype))
    module = Normalisation(spec, tf.dtypes.as_dtype(dtype))
    found = tf.function(module.__call__, autograph=False)(tf.constant(pixels[None])).numpy()
    np.testing.assert_array_equal(found, wanted, strict=True)


SIZES = [(40, 60), (32, 64), (33, 57), (7, 9), (128, 256), (300, 451), (1, 1)]
# OpenCV rounds in between, so a step of 255 may be between the two; nearest has nothing to round.
STEPS = {"nearest": 0, "bilinear": 1, "bicubic": 1, "area": 1}


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("interpolation", STEPS)
@pytest.mark.parametrize("resize", ["stretch", "letterbox", "center-crop"])
def test_pictures_are_fitted_as_the_proxy_fits_them(resize: str, interpolation: str, size: tuple[int, int]) -> None:
    import tensorflow as tf

    from publisher.graph.fitting import fit

    keys = {"resize": resize, "interpolation": interpolation, "crop-fraction": 0.875, "pad-value": 114}
    spec = PictureInput.model_validate({"tensor": "x", "width-pixels": 64, "height-pixels": 32} | keys)
    if interpolation == "area" and resize == "stretch" and (size[0] - 32) * (size[1] - 64) < 0:
        pytest.skip("OpenCV looks at other pixels where a picture shrinks one way and grows the other")
    small = RANDOM.integers(0, 256, (5, 7, 3), np.uint8)
    picture = cv2.resize(small, size[::-1], interpolation=cv2.INTER_CUBIC)
    found = fit(tf.constant(picture), spec).numpy()
    wanted, _ = fit_picture(picture, spec)
    assert found.shape == wanted.shape
    assert np.abs(found.astype(int) - wanted).max() <= STEPS[interpolation]

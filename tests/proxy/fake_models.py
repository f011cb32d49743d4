"""The models that the tests' server holds; detector and classifier look at real pixels, in the simplest way."""

from __future__ import annotations

import grpc
import numpy as np

from tests.proxy.fake_server import FLOAT, INT32, STRING, Arrays, FakeModel, StatusError

LABELS = ["red", "green", "blue"]
SIDE = 64
CELLS = {8: 64, 16: 16, 32: 4}


def all_models() -> dict[str, FakeModel]:
    """Return fresh models, each under its name."""
    vector = {"x": (FLOAT, [-1])}
    return {
        "half": FakeModel(vector, {"y": (FLOAT, [-1])}, lambda arrays: {"y": arrays["x"] / 2 + 2}),
        "slow": FakeModel(vector, {"y": (FLOAT, [-1])}, lambda arrays: {"y": arrays["x"]}),
        "strange": FakeModel(vector, {"y": (FLOAT, [-1])}, lambda _: {"y": np.float32([np.nan, np.inf, -np.inf, 1])}),
        "failing": FakeModel({"code": (INT32, [])}, {"y": (FLOAT, [-1])}, _fail),
        "pair": FakeModel(
            {"a": (INT32, [-1, 2]), "b": (FLOAT, [-1])},
            {"total": (FLOAT, [-1]), "words": (STRING, [-1])},
            _add,
        ),
        "words": FakeModel({"texts": (STRING, [-1])}, {"lengths": (INT32, [-1])}, _measure),
        "uneven": FakeModel(vector, {}, lambda _: {"a": np.zeros(2, np.float32), "b": np.zeros(3, np.float32)}),
        "echo": FakeModel({"x": (FLOAT, [-1, -1])}, {"x": (FLOAT, [-1, -1])}, lambda arrays: arrays, as_lists=True),
        "detector": FakeModel({"image": (FLOAT, [1, 3, SIDE, SIDE])}, {}, detect, as_lists=True),
        "broken-detector": FakeModel({"image": (FLOAT, [1, 3, SIDE, SIDE])}, {}, _detect_nothing_but_nan),
        "classifier": FakeModel({"image": (FLOAT, [-1, SIDE, SIDE, 3])}, {}, classify),
        "pixels": FakeModel({"image": (FLOAT, [1, 4, 4, 3])}, {}, lambda arrays: {"image": arrays["image"]}),
        "other-shape": FakeModel({"image": (FLOAT, [1, 8, 8, 3])}, {}, lambda arrays: {"image": arrays["image"]}),
        "cardless": FakeModel(vector, {"y": (FLOAT, [-1])}, lambda arrays: {"y": arrays["x"]}),
    }


def detect(arrays: Arrays) -> Arrays:
    """Answer as NanoDet does: each cell of 8 pixels scores the colour that it shows, with a box of its own size."""
    picture = arrays["image"][0].reshape(3, SIDE // 8, 8, SIDE // 8, 8).mean(axis=(2, 4)).reshape(3, -1).T
    strongest = picture.max(axis=1, keepdims=True)
    scores = np.where((picture == strongest) & (strongest > 100), 0.9, 0.1)
    outputs = {f"scores{stride}": np.zeros((1, count, 3), np.float32) for stride, count in CELLS.items()}
    outputs |= {f"sides{stride}": np.zeros((1, count, 44), np.float32) for stride, count in CELLS.items()}
    outputs["scores8"][0] = scores
    # The distribution of every side has all its weight between 0 and 1 strides: half a cell to each side.
    outputs["sides8"][0].reshape(-1, 4, 11)[:, :, :2] = 50
    return outputs


def classify(arrays: Arrays) -> Arrays:
    """Answer the share of each colour."""
    sums = arrays["image"].sum(axis=(1, 2))
    return {"probabilities": (sums / sums.sum(axis=1, keepdims=True)).astype(np.float32)}


def _detect_nothing_but_nan(arrays: Arrays) -> Arrays:
    return {name: np.full_like(output, np.nan) for name, output in detect(arrays).items()}


def _add(arrays: Arrays) -> Arrays:
    total = arrays["a"].sum(axis=1) + arrays["b"]
    words = np.array([b"even" if value % 2 == 0 else b"\xff\xfe" for value in total], object)
    return {"total": total.astype(np.float32), "words": words}


def _measure(arrays: Arrays) -> Arrays:
    return {"lengths": np.array([len(text) for text in arrays["texts"]], np.int32)}


def _fail(arrays: Arrays) -> Arrays:
    number = int(arrays["code"])
    raise StatusError(next(code for code in grpc.StatusCode if code.value[0] == number), "the model failed on purpose")

"""Measure the codec of the wire beside its rivals: bytes to array, and array to bytes.

    python -m experiments.wire_codec [--repeats 30]

The rivals are the generated parser with numpy, as the TensorFlow Serving protocol is spoken without TensorFlow, and
TensorFlow's own functions `tf.make_ndarray` and `tf.make_tensor_proto`. Each begins and ends at the same things,
parsing included, and all of a row take turns in one run. Ours is shown twice: twenty times in a row, and once after its
rivals, which have put other things into the processor's caches. The ratios are against the former.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from experiments.quartiles import interleaved, short
from experiments.tables import Table
from protos.build import build_if_stale

build_if_stale()
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402
from tensorflow_serving.apis import predict_pb2 as official  # noqa: E402

from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse  # noqa: E402
from proxy.backend.call import PredictCall  # noqa: E402
from proxy.wire.predictions import read_predict_response, write_predict_request  # noqa: E402

Array = NDArray[np.generic]
Work = Callable[[], object]

SHAPE = (1, 25200, 85)
"""The answer of a detector of the YOLO kind for a picture of 640 x 640: 8.57 MB of float32."""
PICTURE = (1, 640, 640, 3)
LENGTH, TOKENS = 500, 42

IN_A_ROW = 20
TIMES = ("ours, ms", "ours after rivals, ms")


def answer(scores: Array, field: str) -> bytes:
    """Return a PredictResponse that has its values in `field`."""
    response = PredictResponse()
    response.model_spec.version.value = 1
    tensor = response.outputs["output"]
    tensor.dtype = 1
    for size in scores.shape:
        tensor.tensor_shape.dim.add(size=size)
    if field == "tensor_content":
        tensor.tensor_content = scores.tobytes()
    else:
        tensor.float_val.extend(scores.ravel().tolist())
    return response.SerializeToString()


def by_generated_parser(data: bytes) -> Array:
    """Read an answer as one does without TensorFlow."""
    tensor = PredictResponse.FromString(data).outputs["output"]
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, np.float32).reshape(shape)
    return np.fromiter(tensor.float_val, np.float32, len(tensor.float_val)).reshape(shape)


def by_tensorflow(data: bytes) -> Array:
    """Read an answer as TensorFlow Serving's clients do."""
    return tf.make_ndarray(official.PredictResponse.FromString(data).outputs["output"])


def to_generated_message(arrays: dict[str, Array]) -> bytes:
    """Write a request as one does without TensorFlow."""
    request = PredictRequest()
    request.model_spec.name = "model"
    for name, array in arrays.items():
        tensor = request.inputs[name]
        tensor.dtype = tf.as_dtype(array.dtype).as_datatype_enum
        for size in array.shape:
            tensor.tensor_shape.dim.add(size=size)
        tensor.tensor_content = array.tobytes()
    return request.SerializeToString()


def to_tensorflow_message(arrays: dict[str, Array]) -> bytes:
    """Write a request as TensorFlow Serving's clients do."""
    request = official.PredictRequest()
    request.model_spec.name = "model"
    for name, array in arrays.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request.SerializeToString()


def requests() -> dict[str, dict[str, Array]]:
    """Return the inputs that are written."""
    rng = np.random.default_rng(0)
    ids = np.zeros((1, LENGTH), np.int32)
    ids[0, :TOKENS] = rng.integers(1000, 30522, TOKENS)
    mask = (ids > 0).astype(np.int32)
    pixels = rng.integers(0, 256, PICTURE, np.uint8)
    return {
        "25200 x 85 float32": {"input": rng.random(SHAPE, np.float32)},
        "640 x 640 x 3 float32": {"input": pixels.astype(np.float32) / 255},
        "640 x 640 x 3 uint8": {"input": pixels},
        "640 x 640 x 3 float32, constant": {"input": np.full(PICTURE, 0.5, np.float32)},
        f"BERT {LENGTH}, {TOKENS} tokens": {
            "input_ids": ids,
            "attention_mask": mask,
            "token_type_ids": np.zeros_like(ids),
        },
    }


def compared(ours: Work, rivals: list[Work], repeats: int) -> list[str]:
    """Return the cells of a row: medians in milliseconds, and how many times longer the rivals take than ours."""

    def in_a_row() -> None:
        for _ in range(IN_A_ROW):
            ours()

    once, row, *others = (statistics.median(times) for times in interleaved([ours, in_a_row, *rivals], repeats))
    own = row / IN_A_ROW
    return [short(own), short(once), *map(short, others), " : ".join(f"{time / own:,.3g}" for time in (own, *others))]


def reading(repeats: int) -> Table:
    """Measure the way from an answer's bytes to an array."""
    columns = ("answer, 25200 x 85 float32", *TIMES, "generated parser, ms", "tf.make_ndarray, ms", "ratios")
    table = Table("From the wire to an array", columns)
    scores = np.random.default_rng(0).random(SHAPE, np.float32)
    for field in ("tensor_content", "float_val"):
        data = answer(scores, field)
        for read in (by_generated_parser, by_tensorflow):
            assert np.array_equal(read(data), read_predict_response(data).outputs["output"])
        rivals = [partial(by_generated_parser, data), partial(by_tensorflow, data)]
        table.add(field, *compared(partial(read_predict_response, data), rivals, repeats))
    return table


def writing(repeats: int) -> Table:
    """Measure the way from arrays to a request's bytes, and count these."""
    columns = ("request", "ours, B", "rivals, B", *TIMES, "generated, ms", "tf.make_tensor_proto, ms", "ratios")
    table = Table("From arrays to the wire", columns)
    for name, arrays in requests().items():
        ours = partial(write_predict_request, "model", PredictCall(signature="", arrays=arrays))
        rivals = [partial(to_generated_message, arrays), partial(to_tensorflow_message, arrays)]
        sizes = len(ours()), len(to_tensorflow_message(arrays))
        table.add(name, *(f"{size:,}" for size in sizes), *compared(ours, rivals, repeats))
    return table


def main() -> None:
    """Print both tables of medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=30, help="runs of each row")
    repeats = parser.parse_args().repeats
    for table in (reading(repeats), writing(repeats)):
        print(table.markdown(), end="\n\n")


if __name__ == "__main__":
    main()

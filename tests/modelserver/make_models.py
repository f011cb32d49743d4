"""Write small SavedModels with TensorFlow below the folder named on the command line. The tests run this once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

F32, U8, I32, I64, TEXT = tf.float32, tf.uint8, tf.int32, tf.int64, tf.string


def spec(shape: list[int | None], dtype: tf.DType, name: str) -> tf.TensorSpec:
    """Describe one input."""
    return tf.TensorSpec(shape, dtype, name=name)


def save(folder: Path, module: tf.Module, **signatures: tf.types.experimental.GenericFunction) -> None:
    """Write one version."""
    tf.saved_model.save(module, str(folder), signatures=signatures)


def adders(top: Path) -> None:
    """`add` N answers x + N, so that an answer tells the version."""
    for version in (1, 2, 3):
        module = tf.Module()
        module.number = tf.Variable(float(version))

        @tf.function(input_signature=[spec([None, 2], F32, "x")])
        def add(x, module=module):
            return {"y": x + module.number}

        save(top / "add" / str(version), module, serving_default=add)


def several_signatures(top: Path) -> None:
    """`many`: two inputs and outputs, uint8 pictures, top-k with integers, int64, and a label per row."""

    @tf.function(input_signature=[spec([None, 3], F32, "a"), spec([None, 3], F32, "b")])
    def default(a, b):
        return {"sum": a + b, "product": a * b}

    @tf.function(input_signature=[spec([None, 2, 2, 3], U8, "image")])
    def picture(image):
        return {"mean": tf.reduce_mean(tf.cast(image, F32) / 255.0, axis=[1, 2, 3])}

    @tf.function(input_signature=[spec([None, 8], F32, "x")])
    def top_two(x):
        values, indices = tf.math.top_k(x, k=2)
        return {"values": values, "indices": indices}

    @tf.function(input_signature=[spec([None], I64, "n"), spec([None], I32, "m")])
    def integers(n, m):
        return {"n": n + 1, "m": m * 2}

    save(top / "many" / "1", tf.Module(), serving_default=default, picture=picture, top_two=top_two, integers=integers)


def classifier(top: Path) -> None:
    """`classes`: signatures for Classify and Regress, over numbers and over serialised Examples."""
    module = tf.Module()
    module.weights = tf.Variable(np.arange(6, dtype=np.float32).reshape(2, 3))

    @tf.function(input_signature=[spec([None, 2], F32, "x")])
    def scores(x):
        return {"scores": tf.nn.softmax(x @ module.weights)}

    @tf.function(input_signature=[spec([None, 2], F32, "x")])
    def number(x):
        return {"outputs": tf.reduce_sum(x @ module.weights, axis=1, keepdims=True)}

    @tf.function(input_signature=[spec([None], TEXT, "inputs")])
    def parsed(inputs):
        x = tf.io.parse_example(inputs, {"x": tf.io.FixedLenFeature([2], F32)})["x"]
        labels = tf.tile(tf.constant([["red", "green", "blue"]]), [tf.shape(x)[0], 1])
        return {"scores": tf.nn.softmax(x @ module.weights), "classes": labels}

    folder = top / "classes" / "1"
    save(folder, module, serving_default=scores, scores=scores, number=number, parsed=parsed)
    rename_methods(folder, {"scores": "classify", "parsed": "classify", "number": "regress"})


def rename_methods(folder: Path, methods: dict[str, str]) -> None:
    """Mark signatures as made for Classify or Regress; tf.saved_model.save marks all for Predict."""
    file = folder / "saved_model.pb"
    model = saved_model_pb2.SavedModel.FromString(file.read_bytes())
    for name, method in methods.items():
        model.meta_graphs[0].signature_def[name].method_name = f"tensorflow/serving/{method}"
    file.write_bytes(model.SerializeToString())


def texts(top: Path) -> None:
    """`text`: strings in and out, which only TensorFlow can serve."""

    @tf.function(input_signature=[spec([None], TEXT, "text")])
    def upper(text):
        return {"upper": tf.strings.upper(text), "raw_bytes": text}

    save(top / "text" / "1", tf.Module(), serving_default=upper)


def slow(top: Path) -> None:
    """`slow`: forty multiplications of rows by a 1024x1024 matrix; the number of rows sets the time."""
    module = tf.Module()
    module.weights = tf.Variable(np.eye(1024, dtype=np.float32))

    @tf.function(input_signature=[spec([None, 1024], F32, "x")])
    def multiply(x):
        for _ in range(40):
            x = x @ module.weights
        return {"y": x}

    save(top / "slow" / "1", module, serving_default=multiply)


def big(top: Path) -> None:
    """`big`: a few numbers in, the 8.6 MB of a detector's answer out."""

    @tf.function(input_signature=[spec([1, 85], F32, "x")])
    def spread(x):
        return {"y": tf.tile(tf.reshape(x, [1, 1, 85]), [1, 25200, 1])}

    save(top / "big" / "1", tf.Module(), serving_default=spread)


def main() -> None:
    """Write all of them."""
    top = Path(sys.argv[1])
    for make in (adders, several_signatures, classifier, texts, slow, big):
        make(top)


if __name__ == "__main__":
    main()

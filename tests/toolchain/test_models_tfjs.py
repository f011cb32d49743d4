"""TensorFlow.js graph models: what is read, and that the converted graph computes the same."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toolchain.models.conversion import tfjs
from toolchain.models.errors import ConversionError


def attribute_type(name: str) -> dict[str, Any]:
    return {"type": name}


def constant(name: str, dtype: str) -> dict[str, Any]:
    return {"name": name, "op": "Const", "attr": {"dtype": attribute_type(dtype)}}


# 1x1 convolution of two channels to one, bias, ReLU6, and a reshape by a 64-bit constant.
NODES = [
    {
        "name": "scope/image",
        "op": "Placeholder",
        "attr": {"dtype": attribute_type("DT_FLOAT"), "shape": {"shape": {"dim": [{"size": d} for d in (1, 2, 2, 2)]}}},
    },
    constant("kernel", "DT_FLOAT"),
    constant("bias", "DT_FLOAT"),
    constant("shape", "DT_INT64"),
    {
        "name": "convolution",
        "op": "_FusedConv2D",
        "input": ["scope/image", "kernel", "bias"],
        "attr": {
            "T": attribute_type("DT_FLOAT"),
            "strides": {"list": {"i": ["1", "1", "1", "1"]}},
            "padding": {"s": "VkFMSUQ="},
            "fused_ops": {"list": {"s": ["Qmlhc0FkZA==", "UmVsdTY="]}},
            "num_args": {"i": "1"},
        },
    },
    {
        "name": "Identity",
        "op": "Reshape",
        "input": ["convolution", "shape"],
        "attr": {"T": attribute_type("DT_FLOAT"), "Tshape": attribute_type("DT_INT64")},
    },
]
WEIGHTS = [
    {"name": "kernel", "shape": [1, 1, 2, 1], "dtype": "float32", "quantization": {"dtype": "float16"}},
    {"name": "bias", "shape": [1], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 0.5, "min": -1.0}},
    {"name": "shape", "shape": [1], "dtype": "int32"},
]
SHARDS = np.array([2.0, -1.0], "<f2").tobytes() + bytes([4]) + np.array([4], "<i4").tobytes()


def write_model(folder: Path, **changes: Any) -> Path:
    content = {
        "signature": {"inputs": {"scope/image:0": {"name": "scope/image:0"}}, "outputs": {"Identity:0": {}}},
        "modelTopology": {"node": NODES},
        "weightsManifest": [{"paths": ["one.bin", "two.bin"], "weights": WEIGHTS}],
    }
    (folder / "one.bin").write_bytes(SHARDS[:3])
    (folder / "two.bin").write_bytes(SHARDS[3:])
    path = folder / "model.json"
    path.write_text(json.dumps({**content, **changes}))
    return path


def test_quantised_weights_get_their_values_back(tmp_path: Path) -> None:
    weights = tfjs.read(write_model(tmp_path)).weights
    assert weights["kernel"].dtype == np.float32
    assert weights["kernel"].ravel().tolist() == [2.0, -1.0]
    assert weights["bias"].tolist() == [1.0]


def test_signature_names_lose_their_scope(tmp_path: Path) -> None:
    model = tfjs.read(write_model(tmp_path))
    assert model.inputs == {"image": "scope/image:0"}
    assert model.outputs == {"Identity": "Identity:0"}


def test_shards_that_are_too_short_are_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path)
    (tmp_path / "two.bin").write_bytes(SHARDS[3:-1])
    with pytest.raises(ConversionError, match=r"at shape: the shards hold 8 bytes, which is not what"):
        tfjs.read(path)


def test_a_file_that_is_no_graph_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    path.write_text('{"modelTopology": {"model_config": {}}}')
    with pytest.raises(ConversionError, match=r"this is not a TensorFlow\.js graph model"):
        tfjs.read(path)


def test_the_converted_graph_computes_what_the_fused_one_means(tmp_path: Path) -> None:
    tf = pytest.importorskip("tensorflow")
    from toolchain.models.conversion import detector

    detector.save(tfjs.read(write_model(tmp_path)), tmp_path / "1")
    signature = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    image = np.array([[1, 0], [0, 1], [4, 0], [0, 0]], np.float32).reshape(1, 2, 2, 2)
    (answer,) = signature(image=tf.constant(image)).values()
    assert answer.numpy().tolist() == [3.0, 0.0, 6.0, 1.0]


def test_an_unknown_fused_operation_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    from toolchain.models.conversion import graph

    fused = {**NODES[4], "attr": {**NODES[4]["attr"], "fused_ops": {"list": {"s": ["U2VsdQ=="]}}}}
    model = tfjs.read(write_model(tmp_path, modelTopology={"node": [*NODES[:4], fused]}))
    with pytest.raises(ConversionError, match="graph node convolution: it is fused with Selu"):
        graph.build(model)

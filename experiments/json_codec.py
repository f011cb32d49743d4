"""Measure the JSON codec alone, without sockets: numbers to an array and an array to numbers, beside the usual ways.

    python -m experiments.json_codec [--repeats 9]

All ways take turns in one process, and the times are those of the processor, so that what else runs on the machine
counts less. `experiments.transcoding` measures the same through the running proxy, with Envoy beside it.
"""

from __future__ import annotations

import argparse
import gc
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from experiments.goals import at_least
from experiments.quartiles import Quartiles, short
from experiments.report import Report
from experiments.rivals.generic_json import as_json
from experiments.tables import Table
from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictResponse
from proxy.backend.signatures import ModelDescription, Signature, TensorSpec
from proxy.inputs.json_tensors import parse_tensor_request
from proxy.outputs.answers import tensors_answer

Array = NDArray[Any]
Work = Callable[[], object]

OURS = "the proxy's codec"
PICTURE_SHAPE, ANSWER_SHAPE = (1, 640, 640, 3), (1, 25200, 85)
DECIMALS = 4


def in_turns(works: Mapping[str, Work], repeats: int) -> dict[str, Quartiles]:
    """Time several things in turns; each once before, unmeasured.

    Returns:
        The processor's milliseconds by name.
    """
    times: dict[str, list[float]] = {name: [] for name in works}
    for turn in range(repeats + 1):
        for name, work in works.items():
            gc.collect()
            start = time.process_time()
            work()
            if turn:
                times[name].append((time.process_time() - start) * 1000)
    return {name: Quartiles.of(values) for name, values in times.items()}


def pictures() -> dict[str, tuple[Array, str]]:
    """Return pictures as people send them, each with the type that its model takes."""
    random = np.random.default_rng(0)
    levels = random.integers(0, 256, PICTURE_SHAPE)
    return {
        "levels over 255, as Python writes them": (levels / 255, "DT_FLOAT"),
        "normalised float32, as Python writes them": (
            random.standard_normal(PICTURE_SHAPE).astype(np.float32).astype(np.float64),
            "DT_FLOAT",
        ),
        "levels as integers": (levels, "DT_UINT8"),
    }


def description(data_type: str) -> ModelDescription:
    """Describe a model with one picture as its input."""
    spec = TensorSpec(name="x", data_type=getattr(types_pb2, data_type), shape=(None, *PICTURE_SHAPE[1:]))
    signature = Signature(name="serving_default", inputs={"x": spec}, outputs={})
    return ModelDescription(version=1, signatures={signature.name: signature})


def measure_in(name: str, picture: Array, data_type: str, repeats: int) -> tuple[Table, float, bool]:
    """Read a picture's numbers in all ways.

    Returns:
        The table, how many times faster ours is than Python's json with numpy, and whether both arrays are equal.
    """
    body = json.dumps({"instances": picture.tolist()}).encode()
    model = description(data_type)
    dtype = np.float32 if data_type == "DT_FLOAT" else np.uint8

    def ours() -> Array:
        return parse_tensor_request(body, model).arrays["x"]

    def usual() -> Array:
        return np.array(json.loads(body)["instances"], dtype)

    works = {
        OURS: ours,
        "orjson and np.array": lambda: np.array(orjson.loads(body)["instances"], dtype),
        "json.loads and np.array": usual,
    }
    equal = ours().tobytes() == usual().tobytes()
    title = f"640 x 640 x 3 numbers ({name}, {len(body) / 1e6:.1f} MB) to an array: ms"
    table, times = _table(title, in_turns(works, repeats))
    return table, times["json.loads and np.array"], equal


def measure_out(repeats: int) -> tuple[Table, float]:
    """Write a large answer in all ways.

    Returns:
        The table, and how many times faster ours is than protobuf's json_format.
    """
    answer = np.random.default_rng(1).random(ANSWER_SHAPE, np.float32)
    message = PredictResponse()
    tensor = message.outputs["y"]
    tensor.dtype = types_pb2.DT_FLOAT
    tensor.float_val.extend(answer.ravel().tolist())
    wire = message.SerializeToString()
    works: dict[str, Work] = {
        OURS: lambda: tensors_answer({"y": answer}, "row"),
        f"the proxy's codec, {DECIMALS} decimals": lambda: tensors_answer({"y": answer}, "row", DECIMALS),
        "tolist and orjson": lambda: orjson.dumps({"predictions": answer.tolist()}),
        "tolist and json": lambda: json.dumps({"predictions": answer.tolist()}).encode(),
        "protobuf's json_format": lambda: as_json(wire),
    }
    title = "25200 x 85 float32 (8.57 MB) to JSON: ms"
    table, times = _table(title, in_turns(works, max(2, repeats // 3)))
    return table, times["protobuf's json_format"]


def _table(title: str, found: Mapping[str, Quartiles]) -> tuple[Table, dict[str, float]]:
    times = {name: quartiles.median / found[OURS].median for name, quartiles in found.items()}
    table = Table(title, ("way", "time", "times ours"))
    for name, quartiles in found.items():
        table.add(name, quartiles, short(times[name]))
    return table, times


def measure(repeats: int = 9) -> Report:
    """Measure both directions."""
    report = Report("JSON codec")
    for name, (picture, data_type) in pictures().items():
        table, times, equal = measure_in(name, picture, data_type, repeats)
        report.tables.append(table)
        report.goals.append(at_least(f"{name}: json and numpy / ours", times, 15))
        report.goals.append(at_least(f"{name}: equal to the bit", float(equal), 1, "(1 is yes)"))
    table, times = measure_out(repeats)
    report.tables.append(table)
    report.goals.append(at_least("answer to JSON: json_format / ours", times, 100))
    return report


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9, help="runs of each way")
    measure(parser.parse_args().repeats).print()


if __name__ == "__main__":
    main()

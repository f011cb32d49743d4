"""Measure the proxy's own time: a JPEG in, boxes out, with a model that answers at once.

    python -m experiments.proxy_own_time [--requests 200]

Runs the proxy as a process of its own and, on loopback, a gRPC server whose only work is to send back one prepared
answer of NanoDet's shapes. The proxy's time is what its stages say in its log, without the stage `model`; beside it
stands the whole round trip over HTTP, as the sender sees it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import grpc
import numpy as np
import skimage
import yaml

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2

ROOT = Path(__file__).resolve().parent.parent
SIDE, CLASSES, STRIDES = 416, 80, (8, 16, 32)
STAGES = ("decode", "preprocess", "encode", "decode-answer", "postprocess")
CARD = {
    "task": "object-detection",
    "input": {
        "tensor": "input",
        "width-pixels": SIDE,
        "height-pixels": SIDE,
        "layout": "NCHW",
        "channels": "BGR",
        "mean": [103.53, 116.28, 123.675],
        "standard-deviation": [57.375, 57.12, 58.395],
    },
    "output": {"decoder": "nanodet"},
    "labels": "labels.txt",
}


def prepared_answer() -> bytes:
    """Return a PredictResponse in which 60 cells see something, as `tensor_content`."""
    random = np.random.default_rng(0)
    response = predict_pb2.PredictResponse()
    response.model_spec.version.value = 1
    for stride in STRIDES:
        cells = (SIDE // stride) ** 2
        scores = random.random((1, cells, CLASSES), np.float32) * 0.3
        scores[0, random.integers(0, cells, 20), random.integers(0, CLASSES, 20)] = 0.8
        for name, array in (("scores", scores), ("sides", random.normal(0, 2, (1, cells, 44)).astype(np.float32))):
            tensor = response.outputs[f"{name}{stride}"]
            tensor.dtype = types_pb2.DT_FLOAT
            tensor.tensor_content = array.tobytes()
            for size in array.shape:
                tensor.tensor_shape.dim.add(size=size)
    return response.SerializeToString()


def prepared_metadata() -> bytes:
    """Return the metadata of a model with one picture input."""
    signatures = get_model_metadata_pb2.SignatureDefMap()
    tensor = signatures.signature_def["serving_default"].inputs["input"]
    tensor.dtype = types_pb2.DT_FLOAT
    for size in (1, 3, SIDE, SIDE):
        tensor.tensor_shape.dim.add(size=size)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.version.value = 1
    response.metadata["signature_def"].Pack(signatures)
    return response.SerializeToString()


def start_model() -> tuple[grpc.Server, int]:
    """Start the server that answers at once; it neither reads nor writes a message."""
    answers = {"Predict": prepared_answer(), "GetModelMetadata": prepared_metadata()}
    handlers = {
        name: grpc.unary_unary_rpc_method_handler(lambda request, context, answer=answer: answer)
        for name, answer in answers.items()
    }
    server = grpc.server(ThreadPoolExecutor(2), options=[("grpc.max_receive_message_length", -1)])
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("tensorflow.serving.PredictionService", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def write_settings(folder: Path, model_port: int) -> Path:
    """Write the proxy's configuration and the model's card."""
    (folder / "labels.txt").write_text("\n".join(f"class {number}" for number in range(CLASSES)))
    (folder / "card.yaml").write_text(yaml.safe_dump(CARD))
    model = {"name": "model", "target": f"127.0.0.1:{model_port}", "card": "card.yaml"}
    path = folder / "proxy.yaml"
    path.write_text(yaml.safe_dump({"listen": {"address": "127.0.0.1", "port-number": 0}, "models": [model]}))
    return path


def read_event(log: Any) -> dict[str, Any]:
    """Read the next line of the proxy's log."""
    return json.loads(log.readline())


def wait_for_port(log: Any) -> int:
    """Read the log up to the line that names the port."""
    while True:
        event = read_event(log)["event"]
        if "running on http://" in event:
            return int(event.split(":")[2].split()[0])


def measure(port: int, log: Any, picture: bytes, requests: int) -> tuple[list[float], list[dict[str, float]]]:
    """Send a picture many times; return the round trips in ms and the stages of each in ms."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    round_trips, stages = [], []
    for _ in range(requests):
        start = time.perf_counter()
        connection.request("POST", "/v1/models/model:predict", picture, {"content-type": "image/jpeg"})
        response = connection.getresponse()
        body = response.read()
        round_trips.append((time.perf_counter() - start) * 1000)
        if response.status != 200:
            raise SystemExit(f"the proxy answered {response.status}: {body.decode()}")
        stages.append(read_event(log)["stages"])
    return round_trips[requests // 10 :], stages[requests // 10 :]


def pictures() -> dict[str, bytes]:
    """Return JPEG files of several sizes, made of scikit-image's picture of a coffee cup."""
    coffee = cv2.imread(str(Path(skimage.__file__).parent / "data" / "coffee.png"))
    sizes = ((600, 400), (1080, 810), (1920, 1080), (4000, 3000))
    return {f"{w} x {h}": cv2.imencode(".jpg", cv2.resize(coffee, (w, h)))[1].tobytes() for w, h in sizes}


def print_row(name: str, picture: bytes, round_trips: list[float], stages: list[dict[str, float]]) -> None:
    """Print the medians of one picture."""
    own = [sum(row[stage] for stage in STAGES) for row in stages]
    medians = [statistics.median(row[stage] for row in stages) for stage in STAGES]
    cells = "".join(f"{value:14.2f}" for value in (*medians, statistics.median(own), statistics.median(round_trips)))
    print(f"{name:>12}{len(picture) / 1000:9.0f}{cells}")


def main() -> None:
    """Print a table of median times in milliseconds, one row per picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200, help="requests per picture")
    requests = parser.parse_args().requests
    server, model_port = start_model()
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "proxy", "--config", str(write_settings(Path(folder), model_port))]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        try:
            port = wait_for_port(process.stdout)
            columns = "".join(f"{name:>14}" for name in (*STAGES, "own time", "round trip"))
            print(f"{'picture':>12}{'kB':>9}{columns}  (medians, ms)")
            for name, picture in pictures().items():
                print_row(name, picture, *measure(port, process.stdout, picture, requests))
        finally:
            process.terminate()
            process.wait(timeout=30)
            server.stop(None).wait(timeout=10)


if __name__ == "__main__":
    main()

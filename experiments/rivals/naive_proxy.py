"""The proxy that a reader of the source paper would write: JSON numbers, and TensorFlow's official tools between.

    python -m experiments.rivals.naive_proxy --port 8080 --target 127.0.0.1:8500

`{"inputs": {name: numbers}}` for a model at `/v1/models/NAME:predict`; `{"outputs": {name: numbers}}` comes back. The
answer's headers say in milliseconds what it took: `x-codec-milliseconds` without the call of the model server, and
`x-model-milliseconds` for that call.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

_PATH = re.compile(r"/v1/models/([^/:]+):predict")
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]


def read_request(model: str, body: bytes) -> predict_pb2.PredictRequest:
    """Turn JSON numbers into a request: fractions as float32, whole numbers as int32."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "serving_default"
    for name, numbers in json.loads(body)["inputs"].items():
        array = np.array(numbers)
        array = array.astype(np.int32 if array.dtype.kind == "i" else np.float32)
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def write_answer(response: predict_pb2.PredictResponse) -> bytes:
    """Turn an answer into JSON numbers."""
    outputs = {name: tf.make_ndarray(tensor).tolist() for name, tensor in response.outputs.items()}
    return json.dumps({"outputs": outputs}).encode()


class Handler(BaseHTTPRequestHandler):
    """Answer predict requests."""

    protocol_version = "HTTP/1.1"
    stub: prediction_service_pb2_grpc.PredictionServiceStub

    def do_POST(self) -> None:
        """Answer one."""
        model = _PATH.fullmatch(self.path)
        body = self.rfile.read(int(self.headers["content-length"]))
        begin = time.perf_counter()
        request = read_request(model[1] if model else "", body)
        asked = time.perf_counter()
        response = self.stub.Predict(request, timeout=60)
        told = time.perf_counter()
        answer = write_answer(response)
        end = time.perf_counter()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(answer)))
        self.send_header("x-codec-milliseconds", f"{(asked - begin + end - told) * 1000:.3f}")
        self.send_header("x-model-milliseconds", f"{(told - asked) * 1000:.3f}")
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(
        prog="python -m experiments.rivals.naive_proxy", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--target", required=True, help="the model server's gRPC address")
    given = parser.parse_args()
    Handler.stub = prediction_service_pb2_grpc.PredictionServiceStub(grpc.insecure_channel(given.target, _UNLIMITED))
    ThreadingHTTPServer((given.address, given.port), Handler).serve_forever()


if __name__ == "__main__":
    main()

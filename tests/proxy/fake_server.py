"""A model server for tests: the real protocol on loopback, with models that are a few lines of Python each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import numpy as np

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from protos.stubs.tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

Arrays = dict[str, np.ndarray]
Ports = dict[str, tuple[int, list[int]]]  # name: (data type, shape with -1 for free sizes)

FLOAT, INT32, STRING, UINT8 = types_pb2.DT_FLOAT, types_pb2.DT_INT32, types_pb2.DT_STRING, types_pb2.DT_UINT8
_NUMPY = {FLOAT: np.float32, INT32: np.int32, UINT8: np.uint8}


@dataclass
class FakeModel:
    """Compute outputs from inputs; a test changes `version` to publish another one."""

    inputs: Ports
    outputs: Ports
    compute: Callable[[Arrays], Arrays]
    version: int = 1
    as_lists: bool = False
    """Answer in `float_val`, as TensorFlow Serving does by default, and not in `tensor_content`."""


@dataclass
class FakeServer(prediction_service_pb2_grpc.PredictionServiceServicer, model_service_pb2_grpc.ModelServiceServicer):
    """Serve models, and note what the tests want to know of the calls."""

    models: dict[str, FakeModel]
    address: str = ""
    metadata_calls: int = 0
    request_ids: list[str] = field(default_factory=list)
    trace_parents: list[str] = field(default_factory=list)
    remaining_seconds: list[float] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    held: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    cancelled: threading.Event = field(default_factory=threading.Event)
    processing_seconds: str = ""
    """What the server says that it needed for each call; nothing when empty."""

    def Predict(self, request, context):
        model = self._model(request, context)
        if self.processing_seconds:
            context.set_trailing_metadata((("x-processing-seconds", self.processing_seconds),))
        metadata = dict(context.invocation_metadata())
        self.request_ids.append(metadata.get("x-request-id", ""))
        self.trace_parents.append(metadata.get("traceparent", ""))
        self.remaining_seconds.append(context.time_remaining())
        if request.model_spec.name == "slow":
            self._wait(context)
        try:
            outputs = model.compute({name: _read(tensor) for name, tensor in request.inputs.items()})
        except grpc.RpcError:
            raise
        except StatusError as error:
            context.abort(error.code, error.details)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = model.version
        for name, array in outputs.items():
            response.outputs[name].CopyFrom(_write(array, model.as_lists))
        return response

    def GetModelMetadata(self, request, context):
        model = self._model(request, context)
        self.metadata_calls += 1
        signatures = get_model_metadata_pb2.SignatureDefMap()
        signatures.signature_def["serving_default"].CopyFrom(_signature(model))
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = model.version
        response.metadata["signature_def"].Pack(signatures)
        return response

    def GetModelStatus(self, request, context):
        model = self._model(request, context)
        response = get_model_status_pb2.GetModelStatusResponse()
        response.model_version_status.add(version=model.version, state="AVAILABLE")
        return response

    def _model(self, request, context) -> FakeModel:
        name = request.model_spec.name
        if name not in self.models:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({name})")
        return self.models[name]

    def _wait(self, context) -> None:
        """Hold the call until the test lets it go or it is cancelled."""
        context.add_callback(lambda: context.is_active() or self.cancelled.set())
        self.held.release()
        self.hold.wait(timeout=20)


class StatusError(Exception):
    """What a model raises to have its call answered with a gRPC status."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


@contextmanager
def serving(models: dict[str, FakeModel], address: str = "127.0.0.1:0") -> Iterator[FakeServer]:
    """Run a server on loopback."""
    fake = FakeServer(models)
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)]
    server = grpc.server(ThreadPoolExecutor(32), options=options)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(fake, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(fake, server)
    port = server.add_insecure_port(address)
    fake.address = f"127.0.0.1:{port}"
    server.start()
    try:
        yield fake
    finally:
        fake.hold.set()
        server.stop(grace=None).wait(timeout=10)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for a condition, at most some seconds."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the condition did not come true in time"
        time.sleep(0.01)


def _read(tensor: TensorProto) -> np.ndarray:
    shape = [dim.size for dim in tensor.tensor_shape.dim]
    if tensor.dtype == STRING:
        return np.array(list(tensor.string_val), object).reshape(shape)
    if tensor.tensor_content:
        return np.frombuffer(tensor.tensor_content, _NUMPY[tensor.dtype]).reshape(shape)
    values = np.array(tensor.int_val if tensor.dtype in (INT32, UINT8) else tensor.float_val, _NUMPY[tensor.dtype])
    # A list that is too short repeats its last value.
    return np.resize(np.pad(values, (0, max(0, int(np.prod(shape)) - len(values))), "edge"), shape)


def _write(array: np.ndarray, as_list: bool) -> TensorProto:
    tensor = TensorProto(dtype={"f": FLOAT, "i": INT32, "O": STRING}[array.dtype.kind])
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if array.dtype.kind == "O":
        tensor.string_val.extend(array.ravel())
    elif as_list and array.dtype.kind == "f":
        tensor.float_val.extend(array.ravel().tolist())
    else:
        tensor.tensor_content = array.tobytes()
    return tensor


def _signature(model: FakeModel) -> SignatureDef:
    signature = SignatureDef(method_name="tensorflow/serving/predict")
    for ports, infos in ((model.inputs, signature.inputs), (model.outputs, signature.outputs)):
        for name, (data_type, shape) in ports.items():
            infos[name].name = f"{name}:0"
            infos[name].dtype = data_type
            for size in shape:
                infos[name].tensor_shape.dim.add(size=size)
    return signature

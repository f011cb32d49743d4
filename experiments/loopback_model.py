"""A model server on loopback that answers at once: what is measured in front of it is not the model's time.

It speaks the real protocol, announces signatures in GetModelMetadata like any server, and sends an answer that was
written before. It neither reads nor writes a tensor; of a request it looks at the model's name and signature, and keeps
the bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import numpy as np

from protos.stubs.tensorflow.core.framework import types_pb2
from protos.stubs.tensorflow.core.framework.tensor_pb2 import TensorProto
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from protos.stubs.tensorflow_serving.apis import get_model_metadata_pb2, model_pb2, predict_pb2

DEFAULT_SIGNATURE = "serving_default"
SERVICE = "tensorflow.serving.PredictionService"
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

FLOAT, INT32, UINT8, STRING = types_pb2.DT_FLOAT, types_pb2.DT_INT32, types_pb2.DT_UINT8, types_pb2.DT_STRING
_TYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.int32): INT32, np.dtype(np.uint8): UINT8}

Port = tuple[int, tuple[int, ...]]
"""Data type and shape of an input; -1 for a free size."""


@dataclass(frozen=True)
class Signature:
    """The inputs that a signature takes, and the outputs that it always gives."""

    inputs: Mapping[str, Port]
    outputs: Mapping[str, np.ndarray]


@dataclass
class Exchanged:
    """The messages of the last Predict call of one model, as they were on the wire."""

    request: bytes = b""
    answer: bytes = b""
    calls: int = 0


@dataclass
class LoopbackServer:
    """A running server."""

    port: int = 0
    exchanged: dict[str, Exchanged] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """Return the address for gRPC."""
        return f"127.0.0.1:{self.port}"


Models = Mapping[str, Mapping[str, Signature]]
"""Per model its signatures by name."""


@contextmanager
def answering(models: Models, *, lists: bool = False) -> Iterator[LoopbackServer]:
    """Run a server of some models.

    Args:
        models: What to announce and to answer.
        lists: Answer in `float_val`, as tensorflow_model_server does, and not in `tensor_content`.
    """
    running = LoopbackServer(exchanged={name: Exchanged() for name in models})
    answers = {
        (name, signature): write_answer(name, content.outputs, lists)
        for name, signatures in models.items()
        for signature, content in signatures.items()
    }
    metadata = {name: _metadata(name, signatures) for name, signatures in models.items()}

    def predict(request: bytes, context: grpc.ServicerContext) -> bytes:
        spec = model_spec(request)
        answer = answers.get((spec.name, spec.signature_name or DEFAULT_SIGNATURE))
        if answer is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{spec.name!r} has no signature {spec.signature_name!r}")
        seen = running.exchanged[spec.name]
        seen.request, seen.answer, seen.calls = request, answer, seen.calls + 1
        return answer

    def describe(request: bytes, context: grpc.ServicerContext) -> bytes:
        del context
        return metadata[get_model_metadata_pb2.GetModelMetadataRequest.FromString(request).model_spec.name]

    methods = {"Predict": predict, "GetModelMetadata": describe}
    handlers = {name: grpc.unary_unary_rpc_method_handler(method) for name, method in methods.items()}
    server = grpc.server(ThreadPoolExecutor(4), options=UNLIMITED)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    running.port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield running
    finally:
        server.stop(None).wait(timeout=10)


def model_spec(request: bytes) -> model_pb2.ModelSpec:
    """Read field 1 of a PredictRequest and step over the others, which may hold megabytes.

    Every field of a PredictRequest is length-delimited (tensorflow_serving/apis/predict.proto).
    """
    position = 0
    spec = model_pb2.ModelSpec()
    while position < len(request):
        tag, position = _varint(request, position)
        size, position = _varint(request, position)
        if tag == 1 << 3 | 2:
            spec.MergeFromString(request[position : position + size])
        position += size
    return spec


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def write_answer(model: str, outputs: Mapping[str, np.ndarray], lists: bool = False) -> bytes:
    """Return a PredictResponse of version 1."""
    response = predict_pb2.PredictResponse()
    response.model_spec.name = model
    response.model_spec.version.value = 1
    response.model_spec.signature_name = DEFAULT_SIGNATURE
    for name, array in outputs.items():
        fill(response.outputs[name], array, lists)
    return response.SerializeToString()


def write_request(model: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """Return a PredictRequest with its numbers as `tensor_content`: the paper's protobuf."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = DEFAULT_SIGNATURE
    for name, array in inputs.items():
        fill(request.inputs[name], array, lists=False)
    return request.SerializeToString()


def fill(tensor: TensorProto, array: np.ndarray, lists: bool) -> None:
    """Write an array into an empty TensorProto, as a typed list or as raw bytes."""
    tensor.dtype = _TYPES[array.dtype]
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    if lists:
        (tensor.float_val if array.dtype == np.float32 else tensor.int_val).extend(array.ravel().tolist())
    else:
        tensor.tensor_content = array.tobytes()


def _metadata(model: str, signatures: Mapping[str, Signature]) -> bytes:
    definitions = get_model_metadata_pb2.SignatureDefMap()
    for name, content in signatures.items():
        _define(definitions.signature_def[name], content)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = model
    response.model_spec.version.value = 1
    response.metadata["signature_def"].Pack(definitions)
    return response.SerializeToString()


def _define(definition: SignatureDef, content: Signature) -> None:
    definition.method_name = "tensorflow/serving/predict"
    for name, (data_type, shape) in content.inputs.items():
        _describe(definition.inputs[name], name, data_type, shape)
    for name, array in content.outputs.items():
        _describe(definition.outputs[name], name, _TYPES[array.dtype], array.shape)


def _describe(info: TensorInfo, name: str, data_type: int, shape: tuple[int, ...]) -> None:
    info.name = f"{name}:0"
    info.dtype = data_type
    for size in shape:
        info.tensor_shape.dim.add(size=size)
    # A scalar has a shape with no sizes; a message that was never touched would mean any shape.
    info.tensor_shape.SetInParent()

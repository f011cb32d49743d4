import grpc
import numpy as np
import pytest

from experiments.loopback_model import (
    DEFAULT_SIGNATURE,
    FLOAT,
    SERVICE,
    UNLIMITED,
    Signature,
    answering,
    model_spec,
    write_answer,
    write_request,
)
from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    SignatureDefMap,
)
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest

LARGE = np.zeros((1, 640, 640, 3), np.float32)


@pytest.mark.parametrize("spec_is_last", [False, True])
def test_the_spec_is_found_wherever_it_stands(spec_is_last: bool) -> None:
    request = write_request("model", {"x": LARGE})
    if spec_is_last:
        spec = PredictRequest(model_spec=PredictRequest.FromString(request).model_spec).SerializeToString()
        request = request[len(spec) :] + spec
    assert (model_spec(request).name, model_spec(request).signature_name) == ("model", DEFAULT_SIGNATURE)


def test_the_server_describes_its_signatures_and_keeps_what_was_exchanged() -> None:
    outputs = {"y": np.float32([[1, 2, 3]])}
    with answering({"model": {DEFAULT_SIGNATURE: Signature({"x": (FLOAT, (-1, 4))}, outputs)}}, lists=True) as server:
        with grpc.insecure_channel(server.target, UNLIMITED) as channel:
            described = channel.unary_unary(f"/{SERVICE}/GetModelMetadata")(
                GetModelMetadataRequest(model_spec={"name": "model"}).SerializeToString(), timeout=10
            )
            request = write_request("model", {"x": np.zeros((1, 4), np.float32)})
            answer = channel.unary_unary(f"/{SERVICE}/Predict")(request, timeout=10)
        assert answer == write_answer("model", outputs, lists=True)
        assert (server.exchanged["model"].request, server.exchanged["model"].answer) == (request, answer)
    signatures = SignatureDefMap()
    GetModelMetadataResponse.FromString(described).metadata["signature_def"].Unpack(signatures)
    assert [dim.size for dim in signatures.signature_def[DEFAULT_SIGNATURE].inputs["x"].tensor_shape.dim] == [-1, 4]


def test_an_unknown_signature_is_refused() -> None:
    with (
        answering({"model": {}}) as server,
        grpc.insecure_channel(server.target) as channel,
        pytest.raises(grpc.RpcError) as refused,
    ):
        channel.unary_unary(f"/{SERVICE}/Predict")(write_request("model", {}), timeout=10)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND

"""The REST interface: TensorFlow Serving's paths under /v1/models, and the metrics."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

from google.protobuf.message import Message

from modelserver import json_examples, json_tensors, model_status
from modelserver.classification import Classification
from modelserver.errors import Internal, InvalidArgument, RequestError
from modelserver.inference import Inference
from modelserver.metrics import CONTENT_TYPE, Metrics
from modelserver.savedmodel import DEFAULT_SIGNATURE
from protos.stubs.tensorflow.core.protobuf.error_codes_pb2 import Code
from protos.stubs.tensorflow_serving.apis.classification_pb2 import ClassificationRequest
from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import GetModelMetadataRequest, SignatureDefMap
from protos.stubs.tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, ModelVersionStatus
from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec
from protos.stubs.tensorflow_serving.apis.regression_pb2 import RegressionRequest

LOG = logging.getLogger(__name__)
MAX_VERSION = 2**63 - 1

_VERSION = r"(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_PREDICTION = re.compile(rf"/v1/models/(?P<name>[^/:]+){_VERSION}:(?P<method>classify|regress|predict)", re.IGNORECASE)
_STATUS = re.compile(rf"/v1/models(?:/(?P<name>[^/:]+))?{_VERSION}(?P<metadata>/metadata)?", re.IGNORECASE)

HTTP_STATUS: dict[int, int] = {
    Code.CANCELLED: 499,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.PERMISSION_DENIED: 403,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.ABORTED: 409,
    Code.OUT_OF_RANGE: 400,
    Code.UNIMPLEMENTED: 501,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}


@dataclass(frozen=True)
class Answer:
    """What goes back to the client."""

    body: bytes
    status: int = HTTPStatus.OK
    content_type: str = "application/json"


class RestApi:
    """Answers requests, without knowing of sockets."""

    def __init__(self, inference: Inference, metrics: Metrics, metrics_path: str | None, threads: int) -> None:
        """Answer with `inference`; at most `threads` predictions at a time, status and metrics beside them."""
        self._inference = inference
        self._classification = Classification(inference)
        self._metrics = metrics
        self._metrics_path = metrics_path
        self._turns = threading.BoundedSemaphore(threads)

    def answer(self, method: str, path: str, body: Callable[[], bytes]) -> Answer:
        """Answer one request; `body` reads its body."""
        try:
            return self._route(method, path, body)
        except RequestError as error:
            return _refusal(error)
        except Exception as error:
            LOG.exception("a request failed in a way that is not the client's fault")
            return _refusal(Internal(f"{type(error).__name__}: {error}"[:500]))

    def _route(self, method: str, path: str, body: Callable[[], bytes]) -> Answer:
        prediction = _PREDICTION.fullmatch(path)
        status = _STATUS.fullmatch(path)
        if method == "POST" and prediction:
            return self._predict(prediction, body)
        if method == "GET" and path == self._metrics_path:
            return Answer(self._metrics.page(), content_type=CONTENT_TYPE)
        if method == "GET" and status:
            return Answer(self._metadata(_spec(status)) if status["metadata"] else self._status(_spec(status)))
        if path.lower().startswith("/v1/"):
            raise InvalidArgument(f"Malformed request: {method} {path}")
        return Answer(json_tensors.dump({"error": f"Not Found: {path}"}), HTTPStatus.NOT_FOUND)

    def _predict(self, match: re.Match[str], body: Callable[[], bytes]) -> Answer:
        spec = _spec(match)
        api = match["method"].capitalize()
        with self._metrics.request(spec.name, api, "REST"):
            data = body()
            with self._turns:
                return Answer(self._methods()[api](spec, json_tensors.parse(data)))

    def _methods(self) -> dict[str, Callable[[ModelSpec, dict[str, Any]], bytes]]:
        return {"Predict": self._run_predict, "Classify": self._run_classify, "Regress": self._run_regress}

    def _run_predict(self, spec: ModelSpec, document: dict[str, Any]) -> bytes:
        spec.signature_name = json_tensors.signature_name(document)
        with self._inference.catalog.borrow(spec) as servable:
            name = spec.signature_name or DEFAULT_SIGNATURE
            if name not in servable.signatures:
                raise InvalidArgument(f'Serving signature name: "{name}" not found in signature def')
            inputs, form = json_tensors.inputs_of(document, servable.signatures[name])
            # The version whose signature the JSON was read by answers, also when a newer one comes meanwhile.
            spec.version.value = servable.version
            found = self._inference.predict(spec, inputs)
        return json_tensors.answer(found.outputs, form)

    def _run_classify(self, spec: ModelSpec, document: dict[str, Any]) -> bytes:
        request = ClassificationRequest(model_spec=spec)
        request.model_spec.signature_name = json_tensors.signature_name(document)
        json_examples.fill_input(document, request.input)
        return json_examples.classes(self._classification.classify(request, None).result)

    def _run_regress(self, spec: ModelSpec, document: dict[str, Any]) -> bytes:
        request = RegressionRequest(model_spec=spec)
        request.model_spec.signature_name = json_tensors.signature_name(document)
        json_examples.fill_input(document, request.input)
        return json_examples.numbers(self._classification.regress(request, None).result)

    def _status(self, spec: ModelSpec) -> bytes:
        if not spec.name:
            raise InvalidArgument("Missing model name in request.")
        response = model_status.status(self._inference.catalog, GetModelStatusRequest(model_spec=spec))
        versions = [
            {
                "version": str(entry.version),
                "state": ModelVersionStatus.State.Name(entry.state),
                "status": {
                    "error_code": Code.Name(entry.status.error_code),
                    "error_message": entry.status.error_message,
                },
            }
            for entry in response.model_version_status
        ]
        return _pretty({"model_version_status": versions})

    def _metadata(self, spec: ModelSpec) -> bytes:
        request = GetModelMetadataRequest(model_spec=spec, metadata_field=[model_status.SIGNATURES])
        response = model_status.metadata(self._inference.catalog, request)
        signatures = SignatureDefMap()
        response.metadata[model_status.SIGNATURES].Unpack(signatures)
        return _pretty(
            {
                "model_spec": _with_every_field(response.model_spec),
                "metadata": {"signature_def": _with_every_field(signatures)},
            }
        )


def _with_every_field(message: Message) -> dict[str, Any]:
    # Imported at the first use: it takes longer than the rest of the protocol.
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def _spec(match: re.Match[str]) -> ModelSpec:
    spec = ModelSpec(name=unquote(match["name"] or ""))
    if match["version"]:
        if int(match["version"]) > MAX_VERSION:
            raise InvalidArgument(f"Failed to convert version: {match['version']} to numeric.")
        spec.version.value = int(match["version"])
    elif match["label"]:
        spec.version_label = unquote(match["label"])
    return spec


def _pretty(document: Any) -> bytes:
    return json.dumps(document, indent=1).encode() + b"\n"


def _refusal(error: RequestError) -> Answer:
    return Answer(json_tensors.dump({"error": error.message}), HTTP_STATUS.get(int(error.code), 500))

"""The gRPC services: PredictionService, ModelService and grpc.health.v1."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any, TypeVar

import grpc

from modelserver import model_status, tensors
from modelserver.classification import Classification
from modelserver.errors import Internal, InvalidArgument, RequestError
from modelserver.inference import Inference
from modelserver.metrics import Metrics
from modelserver.serving import Serving
from protos.stubs.grpc.health.v1 import health_pb2, health_pb2_grpc
from protos.stubs.tensorflow.core.protobuf.error_codes_pb2 import Code
from protos.stubs.tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc
from protos.stubs.tensorflow_serving.apis.classification_pb2 import ClassificationRequest, ClassificationResponse
from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
)
from protos.stubs.tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse
from protos.stubs.tensorflow_serving.apis.inference_pb2 import MultiInferenceRequest, MultiInferenceResponse
from protos.stubs.tensorflow_serving.apis.model_management_pb2 import ReloadConfigRequest, ReloadConfigResponse
from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse
from protos.stubs.tensorflow_serving.apis.regression_pb2 import RegressionRequest, RegressionResponse

LOG = logging.getLogger(__name__)
Response = TypeVar("Response")

# Far more threads than inferences that run at a time: a request waits for its inference in its thread, and status and
# health must find a free one beside them.
THREADS = 64

# Without these a 640x640 picture of floats, or a detector's answer, is over gRPC's limit of 4 MB.
SERVER_OPTIONS = [
    ("grpc.max_receive_message_length", 2**31 - 1),
    ("grpc.max_send_message_length", 2**31 - 1),
    # Without this a second server on the port would be started silently and take a share of the requests.
    ("grpc.so_reuseport", 0),
]

# In the trailing metadata of an answer: the seconds that this server needed for it, from the request's message to the
# answer's. What a client measures beyond them is the way and gRPC's own work. Other servers do not tell.
PROCESSING_SECONDS = "x-processing-seconds"

STATUS_CODES = {code.value[0]: code for code in grpc.StatusCode}
DEFAULT_RELOAD_SECONDS = 300.0


def create_server(
    inference: Inference, serving: Serving, metrics: Metrics, *, as_content: bool, health: bool
) -> grpc.Server:
    """Make a server with all services; ports are added by the caller."""
    pool = futures.ThreadPoolExecutor(THREADS, thread_name_prefix="grpc")
    server = grpc.server(pool, options=SERVER_OPTIONS)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        PredictionService(inference, metrics, as_content=as_content), server
    )
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(inference, serving), server)
    if health:
        health_pb2_grpc.add_HealthServicer_to_server(Health(inference, serving), server)
    return server


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Predict, Classify, Regress, MultiInference and GetModelMetadata."""

    def __init__(self, inference: Inference, metrics: Metrics, *, as_content: bool) -> None:
        """Answer with `inference`; tensors as raw bytes if `as_content`."""
        self._inference = inference
        self._classification = Classification(inference)
        self._metrics = metrics
        self._as_content = as_content

    def Predict(self, request: PredictRequest, context: grpc.ServicerContext) -> PredictResponse:
        """Tensors in, tensors out."""

        def answer() -> PredictResponse:
            if not request.HasField("model_spec"):
                raise InvalidArgument("Missing ModelSpec")
            inputs = {name: tensors.from_proto(value) for name, value in request.inputs.items()}
            found = self._inference.predict(request.model_spec, inputs, request.output_filter, remaining(context))
            response = PredictResponse(model_spec=found.spec)
            for name, array in found.outputs.items():
                tensors.to_proto(array, response.outputs[name], as_content=self._as_content)
            return response

        return self._counted("Predict", request.model_spec.name, context, answer)

    def Classify(self, request: ClassificationRequest, context: grpc.ServicerContext) -> ClassificationResponse:
        """Examples in, classes with scores out."""
        return self._counted(
            "Classify",
            request.model_spec.name,
            context,
            lambda: self._classification.classify(request, remaining(context)),
        )

    def Regress(self, request: RegressionRequest, context: grpc.ServicerContext) -> RegressionResponse:
        """Examples in, numbers out."""
        return self._counted(
            "Regress",
            request.model_spec.name,
            context,
            lambda: self._classification.regress(request, remaining(context)),
        )

    def MultiInference(self, request: MultiInferenceRequest, context: grpc.ServicerContext) -> MultiInferenceResponse:
        """Several of the two above over one input."""
        name = request.tasks[0].model_spec.name if request.tasks else ""
        return self._counted(
            "MultiInference",
            name,
            context,
            lambda: self._classification.multi_inference(request, remaining(context)),
        )

    def GetModelMetadata(
        self, request: GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> GetModelMetadataResponse:
        """The signatures of a version."""
        return translated(context, lambda: model_status.metadata(self._inference.catalog, request))

    def _counted(self, api: str, model: str, context: grpc.ServicerContext, answer: Callable[[], Response]) -> Response:
        def counted() -> Response:
            started = time.perf_counter()
            with self._metrics.request(model, api, "GRPC"):
                response = answer()
            context.set_trailing_metadata(((PROCESSING_SECONDS, f"{time.perf_counter() - started:.6f}"),))
            return response

        return translated(context, counted)


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """GetModelStatus and HandleReloadConfigRequest."""

    def __init__(self, inference: Inference, serving: Serving) -> None:
        """Tell about `inference`'s catalog; reload `serving`."""
        self._inference = inference
        self._serving = serving

    def GetModelStatus(self, request: GetModelStatusRequest, context: grpc.ServicerContext) -> GetModelStatusResponse:
        """The states of a model's versions."""
        return translated(context, lambda: model_status.status(self._inference.catalog, request))

    def HandleReloadConfigRequest(
        self, request: ReloadConfigRequest, context: grpc.ServicerContext
    ) -> ReloadConfigResponse:
        """Replace the configuration; answers when every new model is available."""

        def answer() -> ReloadConfigResponse:
            timeout = remaining(context)
            self._serving.reload(request.config, DEFAULT_RELOAD_SECONDS if timeout is None else timeout)
            response = ReloadConfigResponse()
            response.status.error_code = Code.OK
            return response

        return translated(context, answer)


class Health(health_pb2_grpc.HealthServicer):
    """grpc.health.v1 Check: for "" and our services the whole server, for a model's name that model."""

    SERVICES = ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")

    def __init__(self, inference: Inference, serving: Serving) -> None:
        """Tell about `serving`."""
        self._inference = inference
        self._serving = serving

    def Check(
        self, request: health_pb2.HealthCheckRequest, context: grpc.ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """Look at what is in memory; the volume is not asked."""
        if request.service in self.SERVICES:
            serving = self._serving.ready()
        elif self._inference.catalog.knows(request.service):
            serving = bool(self._inference.catalog.loaded(request.service))
        else:
            context.abort(grpc.StatusCode.NOT_FOUND, f"unknown service {request.service}")
        kinds = health_pb2.HealthCheckResponse
        return health_pb2.HealthCheckResponse(status=kinds.SERVING if serving else kinds.NOT_SERVING)


def remaining(context: grpc.ServicerContext) -> float | None:
    """Return the seconds until the client's deadline; None when it gave none."""
    seconds: float | None = context.time_remaining()
    return None if seconds is None or seconds > 86400 * 365 else seconds


def translated(context: grpc.ServicerContext, answer: Callable[[], Response]) -> Response:
    """Return `answer()`; end the call with code and text when it raises."""
    try:
        return answer()
    except RequestError as error:
        _abort(context, error)
        raise
    except Exception as error:
        LOG.exception("a request failed in a way that is not the client's fault")
        _abort(context, Internal(f"{type(error).__name__}: {error}"[:500]))
        raise


def _abort(context: Any, error: RequestError) -> None:
    context.abort(STATUS_CODES[int(error.code)], error.message)

"""The routes of the Open Inference Protocol, version 2, as KServe and Triton have them."""

from __future__ import annotations

from starlette.requests import Request

from proxy import __version__
from proxy.config import Limits
from proxy.departure import unless_client_leaves
from proxy.errors import BackendError
from proxy.limits import InFlight
from proxy.models import Models
from proxy.outputs.answer import Answer
from proxy.outputs.answers import write_json
from proxy.outputs.media import Media
from proxy.outputs.open_inference import model_document, server_document
from proxy.pipeline import Wish
from proxy.routes.addressed import find_model, selector_of
from proxy.routes.bodies import in_time, receive_body
from proxy.tasks.content import Content
from proxy.tasks.open_inference import open_inference_task
from proxy.tasks.options import read_options
from proxy.telemetry.exchange import Exchange

_HEADER_LENGTH = "inference-header-content-length"
_AVAILABLE = "AVAILABLE"


class OpenInference:
    """Answer clients of this protocol."""

    def __init__(self, limits: Limits, models: Models, in_flight: InFlight) -> None:
        self._limits = limits
        self._models = models
        self._in_flight = in_flight

    async def server(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `GET /v2`."""
        del request, exchange
        return Answer(write_json(server_document(__version__)))

    async def model(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `GET /v2/models/{model}`: what it takes and gives, and the versions there are."""
        pipeline = find_model(self._models, request, exchange)
        context = exchange.call_context()
        description = await pipeline.backend.service.describe(context, selector_of(request))
        status = await pipeline.backend.service.status(context)
        return Answer(write_json(model_document(pipeline.model, _available(status), description)))

    async def ready(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `GET /v2/models/{model}/ready`.

        Raises:
            BackendError: The model's server cannot be asked, or has no version that answers.
        """
        pipeline = find_model(self._models, request, exchange)
        selector = selector_of(request)
        versions = _available(await pipeline.backend.service.status(exchange.call_context(), selector))
        if not versions:
            raise BackendError(
                503,
                where=f"model server of {pipeline.model!r}",
                found="no version that answers",
                reason="None is loaded, or only just",
                remedy="Try again in a second; if it lasts, look at the state of the versions under /v1/models",
            )
        return Answer(write_json({"name": pipeline.model, "ready": True}))

    async def infer(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `POST /v2/models/{model}/infer`; what the body is, the protocol says, and no header needs to."""
        pipeline = find_model(self._models, request, exchange)
        content = Content("application/json", None, request.headers.get("content-encoding"))
        content.check_encoding()
        options = read_options(request.query_params.multi_items())
        wish = Wish(selector=selector_of(request), options=options, media=Media.JSON)
        async with self._in_flight.place(exchange.deadline):
            body = await receive_body(request, content, self._limits.max_body_bytes, exchange)
            task = open_inference_task(body, request.headers.get(_HEADER_LENGTH))
            return await unless_client_leaves(request, in_time(pipeline.predict(task, wish, exchange), exchange))


def _available(status: dict[str, list[dict[str, str]]]) -> list[int]:
    """Return the versions that answer, out of the state as TensorFlow Serving's REST API writes it."""
    versions = status.get("model_version_status", [])
    return sorted(int(version["version"]) for version in versions if version["state"] == _AVAILABLE)

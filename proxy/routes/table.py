"""The table of routes: every path of the endpoint, and who answers it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from starlette.routing import BaseRoute, Route, WebSocketRoute

from proxy.pages.demo import page_route, read_pages
from proxy.routes.answering import Answering, Handler
from proxy.routes.description import Description
from proxy.routes.health import HealthRoutes
from proxy.routes.live import LiveFrames
from proxy.routes.models import ModelRoutes
from proxy.routes.open_inference import OpenInference
from proxy.routes.predicting import Predicting
from proxy.routes.scraping import Scraping

_VERSIONS = ("/v1/models/{model}", "/v1/models/{model}/versions/{version:int}", "/v1/models/{model}/labels/{label}")
"""A model in TensorFlow Serving's REST API: its latest version, one by number, or one by label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerers:
    """Hold who answers what."""

    answering: Answering
    predicting: Predicting
    models: ModelRoutes
    live: LiveFrames
    open_inference: OpenInference
    health: HealthRoutes
    description: Description
    scraping: Scraping


def make_routes(parts: Answerers) -> list[BaseRoute]:
    """Return all routes; of two that fit a path, the first is taken."""
    return [
        Route("/v1/models", parts.answering.route("/v1/models", parts.models.list), methods=["GET"]),
        *_of_versions(parts, ":predict", parts.predicting.predict, "POST"),
        *_of_versions(parts, ":classify", parts.predicting.classify, "POST"),
        *_of_versions(parts, ":regress", parts.predicting.regress, "POST"),
        *_of_versions(parts, "/metadata", parts.models.metadata, "GET"),
        WebSocketRoute("/v1/models/{model}/stream", parts.live.stream),
        *_of_versions(parts, "", parts.models.status, "GET"),
        *_open_inference(parts),
        Route("/healthz", parts.health.live, methods=["GET"]),
        Route("/readyz", parts.health.ready, methods=["GET"]),
        Route("/metrics", parts.scraping.metrics, methods=["GET"]),
        Route("/openapi.json", parts.description.openapi, methods=["GET"]),
        *(Route(path, page_route(page), methods=["GET"]) for path, page in read_pages().items()),
    ]


def _of_versions(parts: Answerers, ending: str, handler: Handler, method: str) -> Iterator[Route]:
    for path in _VERSIONS:
        yield Route(f"{path}{ending}", parts.answering.route(f"{path}{ending}", handler), methods=[method])


def _open_inference(parts: Answerers) -> Iterator[Route]:
    answering, protocol = parts.answering, parts.open_inference
    yield Route("/v2", answering.route("/v2", protocol.server), methods=["GET"])
    yield Route("/v2/health/live", parts.health.live, methods=["GET"])
    yield Route("/v2/health/ready", parts.health.ready, methods=["GET"])
    for path in ("/v2/models/{model}", "/v2/models/{model}/versions/{version:int}"):
        yield Route(f"{path}/infer", answering.route(f"{path}/infer", protocol.infer), methods=["POST"])
        yield Route(f"{path}/ready", answering.route(f"{path}/ready", protocol.ready), methods=["GET"])
        yield Route(path, answering.route(path, protocol.model), methods=["GET"])

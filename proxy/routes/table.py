"""The table of routes: every path of the endpoint, and who answers it."""

from __future__ import annotations

from starlette.routing import Route

from proxy.routes.answering import Answering
from proxy.routes.health import HealthRoutes
from proxy.routes.models import ModelRoutes
from proxy.routes.predicting import Predicting

_VERSIONS = ("/v1/models/{model}", "/v1/models/{model}/versions/{version:int}", "/v1/models/{model}/labels/{label}")
"""A model in TensorFlow Serving's REST API: its latest version, one by number, or one by label."""


def routes(answering: Answering, predicting: Predicting, models: ModelRoutes, health: HealthRoutes) -> list[Route]:
    """Return all routes; of two that fit a path, the first is taken."""
    return [
        Route("/v1/models", answering.route(models.list), methods=["GET"]),
        *(Route(f"{path}:predict", answering.route(predicting.predict), methods=["POST"]) for path in _VERSIONS),
        *(Route(f"{path}/metadata", answering.route(models.metadata), methods=["GET"]) for path in _VERSIONS),
        *(Route(path, answering.route(models.status), methods=["GET"]) for path in _VERSIONS),
        Route("/healthz", health.live, methods=["GET"]),
        Route("/readyz", health.ready, methods=["GET"]),
        Route("/metrics", health.metrics, methods=["GET"]),
    ]

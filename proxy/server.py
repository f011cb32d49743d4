"""The server: the application with its routes, under uvicorn."""

from __future__ import annotations

import math
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from proxy.backend.channel import ModelChannel
from proxy.card import ModelCard, load_card
from proxy.config import ProxyConfig
from proxy.endpoint import Endpoint
from proxy.limits import PixelBudget
from proxy.pipeline import Pipeline
from proxy.telemetry.logs import log_event
from proxy.workers import Workers


def load_cards(config: ProxyConfig) -> dict[str, ModelCard]:
    """Read the cards of all models.

    Raises:
        ConfigError: See `load_card`.
    """
    return {model.name: load_card(model.card) for model in config.models}


def build_app(config: ProxyConfig, cards: Mapping[str, ModelCard], endpoint: Endpoint) -> Starlette:
    """Make the application; connections to the model servers live as long as it runs."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        del app
        workers = Workers()
        endpoint.pipelines = _pipelines(config, cards, workers)
        log_event("ready", models=sorted(endpoint.pipelines))
        yield
        for pipeline in endpoint.pipelines.values():
            await pipeline.close()
        workers.close()
        log_event("stopped")

    return Starlette(routes=_routes(endpoint), exception_handlers={HTTPException: endpoint.no_route}, lifespan=lifespan)


def _pipelines(config: ProxyConfig, cards: Mapping[str, ModelCard], workers: Workers) -> dict[str, Pipeline]:
    """Make the pipelines of all models; they share the threads and the memory for pictures."""
    budget = PixelBudget(config.limits.max_pixels)
    return {
        model.name: Pipeline(
            channel=ModelChannel(model.name, model.target),
            model=model.name,
            card=cards[model.name],
            limits=config.limits,
            workers=workers,
            pixel_budget=budget,
        )
        for model in config.models
    }


def serve(config: ProxyConfig, cards: Mapping[str, ModelCard]) -> None:
    """Answer requests until SIGTERM or SIGINT, then let those in flight finish within the drain time."""
    endpoint = Endpoint(config)
    server = _DrainingServer(_uvicorn_config(config, build_app(config, cards, endpoint)), endpoint)
    # uvicorn sends itself the signal again after a clean stop; this makes the end of the process clean as well.
    signal.signal(signal.SIGTERM, _exit)
    server.run()


def _exit(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(0)


class _DrainingServer(uvicorn.Server):
    """Tell the endpoint when the draining begins."""

    def __init__(self, config: uvicorn.Config, endpoint: Endpoint) -> None:
        super().__init__(config)
        self._endpoint = endpoint

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        self._endpoint.draining = True
        log_event("draining", signal=signal.Signals(sig).name)
        super().handle_exit(sig, frame)


def _uvicorn_config(config: ProxyConfig, app: Starlette) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        host=config.listen.address,
        port=config.listen.port_number,
        loop="uvloop",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=math.ceil(config.drain_seconds),
    )


def _routes(endpoint: Endpoint) -> list[Route]:
    return [
        Route("/v1/models/{model}:predict", endpoint.predict, methods=["POST"]),
        Route("/v1/models/{model}", endpoint.status, methods=["GET"]),
        Route("/v1/models/{model}/metadata", endpoint.metadata, methods=["GET"]),
        Route("/healthz", endpoint.live, methods=["GET"]),
        Route("/readyz", endpoint.ready, methods=["GET"]),
        Route("/metrics", endpoint.metrics, methods=["GET"]),
    ]

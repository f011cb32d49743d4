"""The server: the application with its routes, under uvicorn."""

from __future__ import annotations

import asyncio
import math
import signal
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from proxy.access.cors import with_cors
from proxy.access.gate import Gate
from proxy.access.guarded_connection import guarded_connection
from proxy.access.tls import ssl_context
from proxy.backend.backend import Backend
from proxy.card import ModelCard, load_card
from proxy.config import ModelEntry, ProxyConfig
from proxy.inputs.address import PictureFetcher
from proxy.limits import InFlight, PixelBudget, Streams
from proxy.models import Models
from proxy.pipeline import Pipeline
from proxy.routes.answering import Answering
from proxy.routes.description import Description
from proxy.routes.health import HealthRoutes
from proxy.routes.live import LiveFrames
from proxy.routes.models import ModelRoutes
from proxy.routes.open_inference import OpenInference
from proxy.routes.picture_series import PictureSeries
from proxy.routes.predicting import Predicting
from proxy.routes.scraping import Scraping
from proxy.routes.table import Answerers, make_routes
from proxy.telemetry.logs import log_event, log_refusal
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.tracing import make_tracer
from proxy.workers import Workers


def load_cards(config: ProxyConfig) -> dict[str, ModelCard]:
    """Read the cards of all models.

    Raises:
        ConfigError: See `load_card`.
    """
    return {model.name: load_card(model.card) for model in config.models}


class Application:
    """Put the parts of the proxy together."""

    def __init__(self, config: ProxyConfig, cards: Mapping[str, ModelCard]) -> None:
        self._config = config
        self._cards = cards
        self._models = Models()
        in_flight = InFlight(config.limits.max_in_flight, config.limits.max_waiting)
        streams = Streams(config.limits.max_streams)
        metrics = self._metrics = Metrics(in_flight)
        self._tracer = make_tracer(config.tracing)
        self._gate = Gate(config.access, config.tls)
        self._fetcher = PictureFetcher(config.addresses) if config.addresses.enabled else None
        self.health = HealthRoutes()
        answering = Answering(config, self._gate, metrics, self._tracer)
        parts = Answerers(
            answering=answering,
            predicting=Predicting(
                limits=config.limits,
                models=self._models,
                in_flight=in_flight,
                series=PictureSeries(config.limits, in_flight, streams),
                fetcher=self._fetcher,
            ),
            models=ModelRoutes(self._models),
            live=LiveFrames(
                config=config,
                gate=self._gate,
                models=self._models,
                in_flight=in_flight,
                streams=streams,
                metrics=metrics,
            ),
            open_inference=OpenInference(config.limits, self._models, in_flight),
            health=self.health,
            description=Description(cards, self._gate.is_open),
            scraping=Scraping(self._gate, metrics),
        )
        application = Starlette(
            routes=make_routes(parts),
            exception_handlers={HTTPException: answering.no_route},
            lifespan=self._lifespan,
        )
        self.app = with_cors(application, config.access.cors)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncGenerator[None]:
        """Keep the connections to the model servers while the application runs."""
        del app
        workers = Workers()
        self._models.open(self._pipelines(workers))
        log_event("ready", models=sorted(pipeline.model for pipeline in self._models))
        yield
        await self._models.close(self._config.drain_seconds)
        workers.close()
        if self._fetcher is not None:
            await self._fetcher.close()
        self._tracer.close()
        log_event("stopped")

    def _pipelines(self, workers: Workers) -> dict[str, Pipeline]:
        """Make the pipelines of all models; they share the threads and the memory for pictures."""
        budget = PixelBudget(self._config.limits.max_pixels)
        return {
            model.name: Pipeline(
                backend=self._backend(model),
                model=model.name,
                card=self._cards[model.name],
                limits=self._config.limits,
                workers=workers,
                pixel_budget=budget,
                count_signature=partial(self._metrics.count_signature, model.name),
            )
            for model in self._config.models
        }

    def _backend(self, model: ModelEntry) -> Backend:
        settings = model.backend or self._config.backend
        backend = Backend(model.name, model.target, settings, watcher=self._metrics.watcher(model.name))
        self._metrics.watch_replicas(model.name, backend.breaker_states)
        return backend


def serve(config: ProxyConfig, cards: Mapping[str, ModelCard]) -> None:
    """Answer requests until SIGTERM or SIGINT, then let those in flight finish within the drain time.

    Raises:
        ConfigError: A file of keys or certificates cannot be used.
    """
    application = Application(config, cards)
    server = _DrainingServer(_uvicorn_config(config, application.app), application.health, config.linger_seconds)
    # uvicorn sends itself the signal again after a clean stop; this makes the end of the process clean as well.
    signal.signal(signal.SIGTERM, _exit)
    server.run()


def _exit(number: int, frame: FrameType | None) -> None:
    del number, frame
    sys.exit(0)


class _DrainingServer(uvicorn.Server):
    """Tell readiness when the draining begins, and linger before the listening socket closes.

    Whoever sends requests hears only after a moment that this proxy ends; until then it takes them as before.
    """

    def __init__(self, config: uvicorn.Config, health: HealthRoutes, linger_seconds: float) -> None:
        super().__init__(config)
        self._health = health
        self._linger_seconds = linger_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Remember the loop that signals have to reach."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a person's Ctrl-C, and a second signal, do not linger."""
        lingers = sig == signal.SIGTERM and self._linger_seconds > 0 and not self._health.draining
        self._health.draining = True
        log_event("draining", signal=signal.Signals(sig).name)
        stop = partial(super().handle_exit, sig, frame)
        if lingers and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.call_later, self._linger_seconds, stop)
        else:
            stop()


def _uvicorn_config(config: ProxyConfig, app: ASGIApp) -> uvicorn.Config:
    tls = config.tls
    return uvicorn.Config(
        app,
        host=config.listen.address,
        port=config.listen.port_number,
        loop="uvloop",
        http=guarded_connection(config.connections, log_refusal),
        ws="websockets-sansio",
        ws_max_size=config.limits.max_body_bytes,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ssl_context_factory=None if tls is None else partial(_context, ssl_context(tls)),
        timeout_graceful_shutdown=math.ceil(config.drain_seconds),
    )


def _context(context: ssl.SSLContext, config: uvicorn.Config, default: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    """Give uvicorn a context that was made, and its files checked, before anything listens."""
    del config, default
    return context

"""Metrics: what Prometheus is told of the requests, and of the proxy's dealings with the model servers."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from proxy import __version__
from proxy.backend.breaker import BreakerState
from proxy.backend.watcher import Watcher
from proxy.telemetry.exchange import Exchange

CONTENT_TYPE = CONTENT_TYPE_LATEST

FrameOutcome = Literal["answered", "failed", "dropped"]
KeyOutcome = Literal["admitted", "limited", "refused"]

NO_KEY = "-"
OTHER_KEYS = "other"

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_WAITS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1)
_EXAMPLES = (1, 2, 4, 8, 16, 32, 64, 128)
_STATES: tuple[BreakerState, ...] = ("closed", "half-open", "open")
_MAX_KEYS = 100


class Places(Protocol):
    """What counts the requests being answered, and those that wait for it."""

    @property
    def count(self) -> int: ...
    @property
    def waiting(self) -> int: ...


class Metrics:
    """Hold the proxy's metrics.

    Labels take few values, whatever strangers send: a model's name is one only if the model is configured, a key's only
    if it is among the first hundred seen, and replicas are counted, not named.
    """

    def __init__(self, places: Places) -> None:
        """Make all metrics.

        Args:
            places: Where requests are while they are answered.
        """
        self._registry = CollectorRegistry()
        self._keys: set[str] = set()
        ProcessCollector(registry=self._registry)
        self._replicas = _Replicas()
        self._registry.register(self._replicas)
        self._requests = self._counter("requests", "Requests answered.", "model", "status", "code")
        self._request_seconds = self._histogram("request_seconds", "Time from the request's head to its answer.")
        self._stage_seconds = self._histogram(
            "stage_seconds", "Time of each stage; wire and model together are the gRPC call.", "stage"
        )
        self._bytes = self._counter("bytes", "Bytes of bodies and messages, by leg of the way.", "model", "leg")
        self._batch_size = self._histogram("batch_size", "Examples in one call.", buckets=_EXAMPLES)
        self._batch_wait = self._histogram("batch_wait_seconds", "Wait for others to join a call.", buckets=_WAITS)
        self._retries = self._counter("retries", "Calls tried again, by what came of it.", "model", "outcome")
        self._frames = self._counter("stream_frames", "Frames of streams, by what came of them.", "model", "outcome")
        self._streams = self._gauge("streams", "Streams that are open now.", "model")
        self._signatures = self._counter("signature_calls", "Calls, by the signature used.", "model", "signature")
        self._key_requests = self._counter("key_requests", "Requests, by API key.", "key", "outcome")
        self._gauge("in_flight", "Requests being answered now.").set_function(lambda: places.count)
        self._gauge("waiting", "Requests waiting for a place among those.").set_function(lambda: places.waiting)
        build = self._gauge("build_info", "Always 1; the labels say what runs.", "version", "python")
        build.labels(__version__, platform.python_version()).set(1)

    def record(self, exchange: Exchange) -> None:
        """Count a request that has ended."""
        self._requests.labels(exchange.model, str(exchange.status), exchange.code).inc()
        self._request_seconds.labels(exchange.model).observe(exchange.seconds)
        for stage, seconds in exchange.stages.seconds.items():
            self._stage_seconds.labels(exchange.model, stage).observe(seconds)
        for leg, count in exchange.bytes_by_leg.items():
            self._bytes.labels(exchange.model, leg).inc(count)

    def watcher(self, model: str) -> Watcher:
        """Return who counts what happens to the calls of a model."""
        return Watcher(
            batch_sent=self._batch_size.labels(model).observe,
            waited=self._batch_wait.labels(model).observe,
            repeated=lambda outcome: self._retries.labels(model, outcome).inc(),
        )

    def watch_replicas(self, model: str, count: Callable[[], Mapping[BreakerState, int]]) -> None:
        """Ask at every scrape how many replicas of a model have their breaker in which state."""
        self._replicas.watch(model, count)

    def count_frame(self, model: str, outcome: FrameOutcome) -> None:
        """Count a frame of a stream; `dropped` is one that a newer frame overtook."""
        self._frames.labels(model, outcome).inc()

    def stream_opened(self, model: str) -> None:
        """Count a stream as open."""
        self._streams.labels(model).inc()

    def stream_closed(self, model: str) -> None:
        """Count a stream as open no longer."""
        self._streams.labels(model).dec()

    def count_signature(self, model: str, signature: str) -> None:
        """Count a call; `signature` is a name that the model's server told, never one that a request made up."""
        self._signatures.labels(model, signature).inc()

    def count_key(self, label: str | None, outcome: KeyOutcome) -> None:
        """Count a request by its client's label; keys come and go, so only so many of their names are told apart."""
        if label is None:
            known = NO_KEY
        elif label in self._keys or len(self._keys) < _MAX_KEYS:
            self._keys.add(label)
            known = label
        else:
            known = OTHER_KEYS
        self._key_requests.labels(known, outcome).inc()

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"kubevc_proxy_{name}", text, labels, registry=self._registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"kubevc_proxy_{name}", text, labels, registry=self._registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: tuple[float, ...] = _SECONDS) -> Histogram:
        return Histogram(f"kubevc_proxy_{name}", text, ("model", *labels), buckets=buckets, registry=self._registry)


class _Replicas(Collector):
    """Count the replicas of each model by the state of their breakers, when Prometheus asks."""

    def __init__(self) -> None:
        self._counts: dict[str, Callable[[], Mapping[BreakerState, int]]] = {}

    def watch(self, model: str, count: Callable[[], Mapping[BreakerState, int]]) -> None:
        self._counts[model] = count

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the one metric, with a row per model and state."""
        family = GaugeMetricFamily(
            "kubevc_proxy_replicas", "Replicas of a model, by the state of their breaker.", labels=["model", "state"]
        )
        for model, count in self._counts.items():
            states = count()
            for state in _STATES:
                family.add_metric([model, state], states.get(state, 0))
        yield family

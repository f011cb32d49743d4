"""Metrics: what Prometheus is told of the requests."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from proxy.limits import InFlight
from proxy.telemetry.exchange import Exchange

CONTENT_TYPE = CONTENT_TYPE_LATEST

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Hold the proxy's metrics; a model's name is a label only if the model is configured."""

    def __init__(self, in_flight: InFlight) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "kubevc_proxy_requests",
            "Requests answered, by model, HTTP status and code.",
            ["model", "status", "code"],
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "kubevc_proxy_request_seconds",
            "Time from the request's head to its answer.",
            ["model"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._stage_seconds = Histogram(
            "kubevc_proxy_stage_seconds",
            "Time of each stage of a predict request; stage model is the gRPC call, its waiting included.",
            ["model", "stage"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._bytes = Counter(
            "kubevc_proxy_bytes",
            "Bytes of bodies and messages, by leg of the way.",
            ["model", "leg"],
            registry=self._registry,
        )
        Gauge("kubevc_proxy_in_flight", "Requests being answered now.", registry=self._registry).set_function(
            lambda: in_flight.count
        )

    def record(self, exchange: Exchange) -> None:
        """Count a request that has ended."""
        self._requests.labels(exchange.model, str(exchange.status), exchange.code).inc()
        self._request_seconds.labels(exchange.model).observe(exchange.seconds)
        for stage, seconds in exchange.stages.seconds.items():
            self._stage_seconds.labels(exchange.model, stage).observe(seconds)
        for leg, count in exchange.bytes_by_leg.items():
            self._bytes.labels(exchange.model, leg).inc(count)

    def exposition(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)

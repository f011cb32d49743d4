"""Prometheus metrics: TensorFlow Serving's under its names, and what it does not have under ours."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from threading import Lock

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from modelserver.catalog import Catalog, State
from modelserver.errors import RequestError
from protos.stubs.tensorflow.core.protobuf.error_codes_pb2 import Code

# Microseconds; each bound 1.8 times the one before, 33 of them, as TensorFlow Serving has it.
LATENCY_BOUNDS = [10 * 1.8**power for power in range(33)]
SECONDS_BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """Counts requests and loads; reads the states of versions from the catalog when it is asked for a page."""

    def __init__(self, catalog: Catalog) -> None:
        """Make the metrics in a registry of their own."""
        # Twice the number of series for times that nobody asked for.
        disable_created_metrics()
        self._catalog = catalog
        self._registry = CollectorRegistry()
        self._requests = RequestCount()
        self._registry.register(self._requests)
        self._registry.register(VersionStates(catalog))
        self._latency = Histogram(
            ":tensorflow:serving:request_latency",
            "Distribution of wall time (in microseconds) for a request.",
            ["model_name", "API", "entrypoint"],
            registry=self._registry,
            buckets=LATENCY_BOUNDS,
        )
        self._runtime_latency = Histogram(
            ":tensorflow:serving:runtime_latency",
            "Distribution of wall time (in microseconds) for the runtime.",
            ["model_name", "API", "runtime"],
            registry=self._registry,
            buckets=LATENCY_BOUNDS,
        )
        self._under_way = Gauge(
            "kubevc_modelserver_requests_under_way",
            "Requests that are being answered.",
            ["entrypoint"],
            registry=self._registry,
        )
        self._loads = Counter(
            "kubevc_modelserver_loads",
            "Versions loaded, by outcome.",
            ["model_name", "outcome"],
            registry=self._registry,
        )
        self._load_seconds = Histogram(
            "kubevc_modelserver_load_seconds",
            "Time to read and compile a version.",
            ["model_name"],
            registry=self._registry,
            buckets=SECONDS_BOUNDS,
        )

    @contextmanager
    def request(self, model: str, api: str, entrypoint: str) -> Generator[None, None, None]:
        """Count the request that is answered in this context: its time, and how it ended."""
        self._under_way.labels(entrypoint).inc()
        started = time.perf_counter()
        status = "INTERNAL"
        try:
            yield
            status = "OK"
        except RequestError as error:
            status = Code.Name(error.code)
            raise
        finally:
            self._under_way.labels(entrypoint).dec()
            # A client can invent names; each would be a time series for ever.
            name = model if self._catalog.knows(model) else "(unknown)"
            self._requests.add(name, status)
            self._latency.labels(name, api, entrypoint).observe((time.perf_counter() - started) * 1e6)

    def inference(self, model: str, api: str, runtime: str, seconds: float) -> None:
        """Note the time that the runtime took."""
        self._runtime_latency.labels(model, api, runtime).observe(seconds * 1e6)

    def load(self, model: str, outcome: str, seconds: float) -> None:
        """Count an attempt to load a version."""
        self._loads.labels(model, outcome).inc()
        if outcome == "OK":
            self._load_seconds.labels(model).observe(seconds)

    def page(self) -> bytes:
        """Return all metrics in Prometheus' text form."""
        return generate_latest(self._registry)


class RequestCount(Collector):
    """A counter whose name has no `_total` at its end, which prometheus_client's own cannot have."""

    def __init__(self) -> None:
        """Start at nothing."""
        self._lock = Lock()
        self._counts: dict[tuple[str, str], int] = {}

    def add(self, model: str, status: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[model, status] = self._counts.get((model, status), 0) + 1

    def collect(self) -> Iterable[Metric]:
        """Yield the metric."""
        # Of type "unknown": for a counter the library would announce a name with `_total`.
        metric = Metric(":tensorflow:serving:request_count", "The total number of requests.", "unknown")
        with self._lock:
            for (model, status), count in self._counts.items():
                metric.add_sample(metric.name, {"model_name": model, "status": status}, count)
        yield metric


class VersionStates(Collector):
    """One series per version that is loading, available or unloading, and per version that failed."""

    def __init__(self, catalog: Catalog) -> None:
        """Read from `catalog`."""
        self._catalog = catalog

    def collect(self) -> Iterable[Metric]:
        """Yield the metric."""
        metric = Metric("kubevc_modelserver_version_state", "1 for the state that a version is in.", "gauge")
        for model, versions in self._catalog.all_statuses().items():
            for status in versions:
                if status.state != State.END or status.error is not None:
                    labels = {"model_name": model, "version": str(status.version), "state": State.Name(status.state)}
                    metric.add_sample(metric.name, labels, 1)
        yield metric

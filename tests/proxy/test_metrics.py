"""Metrics: what each event adds, and how many labels strangers can make."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

import proxy
from proxy.deadline import Deadline
from proxy.telemetry.exchange import Exchange
from proxy.telemetry.metrics import Metrics
from tests.proxy.running import ROOT


@dataclass
class _Places:
    count: int
    waiting: int


def _samples(metrics: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """Return the samples of one name, by the values of their labels in the order of the labels' names."""
    families = text_string_to_metric_families(metrics.exposition().decode())
    samples = (sample for family in families for sample in family.samples)
    return {
        tuple(sample.labels[key] for key in sorted(sample.labels)): sample.value
        for sample in samples
        if sample.name == f"kubevc_proxy_{name}"
    }


def _metrics() -> Metrics:
    return Metrics(_Places(3, 1))


def test_a_request_is_counted_with_its_stages_and_bytes() -> None:
    metrics = _metrics()
    exchange = Exchange(request_id="x", deadline=Deadline.after(1), model="detector", status=200)
    exchange.stages.add("write", 1.0, 1.002)
    exchange.client_bytes("from-client", 12)
    metrics.record(exchange)
    assert _samples(metrics, "requests_total") == {("ok", "detector", "200"): 1}
    assert _samples(metrics, "stage_seconds_count") == {("detector", "write"): 1}
    assert 0.0019 < _samples(metrics, "stage_seconds_sum")["detector", "write"] < 0.0021
    assert _samples(metrics, "bytes_total") == {("from-client", "detector"): 12}


def test_batches_retries_streams_and_signatures_are_counted() -> None:
    metrics = _metrics()
    watcher = metrics.watcher("m")
    watcher.batch_sent(3)
    watcher.waited(0.002)
    watcher.repeated("answered")
    watcher.repeated("no-budget")
    metrics.count_frame("m", "dropped")
    metrics.stream_opened("m")
    metrics.stream_opened("m")
    metrics.stream_closed("m")
    metrics.count_signature("m", "serving_default")
    sizes = _samples(metrics, "batch_size_bucket")
    assert (sizes["2.0", "m"], sizes["4.0", "m"]) == (0, 1)
    assert _samples(metrics, "batch_wait_seconds_sum") == {("m",): 0.002}
    assert _samples(metrics, "retries_total") == {("m", "answered"): 1, ("m", "no-budget"): 1}
    assert _samples(metrics, "stream_frames_total") == {("m", "dropped"): 1}
    assert _samples(metrics, "streams") == {("m",): 1}
    assert _samples(metrics, "signature_calls_total") == {("m", "serving_default"): 1}


def test_replicas_are_asked_for_at_every_scrape() -> None:
    metrics = _metrics()
    states = {"closed": 2}
    metrics.watch_replicas("m", lambda: states)
    assert _samples(metrics, "replicas") == {("m", "closed"): 2, ("m", "half-open"): 0, ("m", "open"): 0}
    states.update({"closed": 1, "open": 1})
    assert _samples(metrics, "replicas") == {("m", "closed"): 1, ("m", "half-open"): 0, ("m", "open"): 1}


def test_keys_beyond_the_first_hundred_share_a_label() -> None:
    names = [f"key-{number:03}" for number in range(150)]
    metrics = _metrics()
    for name in [*names, "made-up"]:
        metrics.count_key(name, "admitted")
    metrics.count_key(None, "refused")
    counts = _samples(metrics, "key_requests_total")
    assert len(counts) == 102
    assert (counts["key-000", "admitted"], counts["other", "admitted"], counts["-", "refused"]) == (1, 51, 1)


def test_requests_in_flight_and_waiting_are_told() -> None:
    assert _samples(_metrics(), "in_flight") == {(): 3}
    assert _samples(_metrics(), "waiting") == {(): 1}


def test_the_build_is_told_with_the_version_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert proxy.__version__ == project["version"]
    assert [version for _, version in _samples(_metrics(), "build_info")] == [project["version"]]

"""Traces: the headers that go on, and the spans that reach a collector."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from pydantic import ValidationError

from proxy.telemetry.spans import RareLines
from proxy.telemetry.stages import Stages, server_timing
from proxy.telemetry.trace_context import read_trace_context
from proxy.telemetry.tracing import Tracer, TracingSettings, make_tracer
from tests.proxy.conftest import proxy_config
from tests.proxy.fake_models import all_models
from tests.proxy.fake_server import serving, wait_until
from tests.proxy.running import running

_TRACE, _PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
_HEADER = f"00-{_TRACE}-{_PARENT}-01"


@dataclass
class Told:
    """Be a request that has ended."""

    request_id: str = "id-1"
    model: str = "detector"
    version: int | None = 3
    status: int = 200
    code: str = "ok"
    bytes_by_leg: dict[str, int] = field(default_factory=lambda: {"from-client": 120})
    stages: Stages = field(default_factory=Stages)


@dataclass
class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keep what is exported to it."""

    address: str = ""
    requests: list[trace_service_pb2.ExportTraceServiceRequest] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def Export(self, request, context):
        self.hold.wait(timeout=20)
        self.requests.append(request)
        return trace_service_pb2.ExportTraceServiceResponse()

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Run a collector on loopback."""
    servicer = Collector()
    servicer.hold.set()
    server = grpc.server(ThreadPoolExecutor(2))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(servicer, server)
    servicer.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield servicer
    finally:
        servicer.hold.set()
        server.stop(grace=None).wait(timeout=10)


def _tracer(address: str, **changes) -> Tracer:
    return make_tracer(TracingSettings.model_validate({"endpoint": address, **changes}))


def _headers(trace_parent: str = _HEADER, state: str = "vendor=1") -> dict[str, str]:
    return {"traceparent": trace_parent, "tracestate": state}


@pytest.mark.parametrize(
    "header",
    [
        "",
        "garbage",
        _HEADER.upper(),
        _HEADER.removesuffix("-01"),
        f"00-{'0' * 32}-{_PARENT}-01",
        f"00-{_TRACE}-{'0' * 16}-01",
        f"ff-{_TRACE}-{_PARENT}-01",
        f"{_HEADER}-more",
        f" {_HEADER}",
        f"{_HEADER}\n",
    ],
)
def test_a_broken_traceparent_counts_as_absent(header: str) -> None:
    assert read_trace_context(_headers(header)) is None


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    context = read_trace_context(_headers(f"cc-{_TRACE}-{_PARENT}-ff-more"))
    assert context is not None
    assert dict(context.metadata)["traceparent"] == _HEADER


def test_without_settings_the_trace_goes_on_as_it_came() -> None:
    trace = make_tracer(None).begin(_headers(), "POST", "/v1/models/{model}:predict")
    assert dict(trace.metadata) == _headers()
    assert trace.trace_id == _TRACE
    assert make_tracer(None).begin({}, "GET", "/").metadata == ()


@pytest.mark.parametrize("state", ["a\nb=1", "ä=1", "x" * 513])
def test_a_tracestate_that_is_no_header_is_dropped(state: str) -> None:
    context = read_trace_context(_headers(state=state))
    assert context is not None
    assert dict(context.metadata) == {"traceparent": _HEADER}


def test_the_sdk_is_not_imported_without_settings() -> None:
    program = "import sys, proxy.telemetry.tracing as t; t.make_tracer(None); sys.exit('opentelemetry' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_a_request_and_its_stages_become_spans(collector: Collector) -> None:
    tracer = _tracer(collector.address, **{"service-name": "edge"})
    trace = tracer.begin(_headers(), "POST", "/v1/models/{model}:predict")
    told = Told()
    for stage in ("decode", "model"):
        with told.stages.time(stage):
            time.sleep(0.002)
    trace.end(told)
    tracer.close()

    spans = {span.name: span for span in collector.spans}
    request = spans.pop("POST /v1/models/{model}:predict")
    assert spans.keys() == {"decode", "model"}
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (_TRACE, _PARENT)
    assert request.trace_state == "vendor=1"
    assert request.kind == Span.SPAN_KIND_SERVER
    assert spans["model"].kind == Span.SPAN_KIND_CLIENT
    assert all(span.parent_span_id == request.span_id and span.trace_id == request.trace_id for span in spans.values())
    decode, model = spans["decode"], spans["model"]
    moments = [
        request.start_time_unix_nano,
        decode.start_time_unix_nano,
        decode.end_time_unix_nano,
        model.start_time_unix_nano,
        model.end_time_unix_nano,
        request.end_time_unix_nano,
    ]
    assert moments == sorted(moments)
    assert decode.end_time_unix_nano - decode.start_time_unix_nano >= 2_000_000
    assert {pair.key: pair.value.string_value or pair.value.int_value for pair in request.attributes} == {
        "http.request.method": "POST",
        "http.route": "/v1/models/{model}:predict",
        "http.response.status_code": 200,
        "kubevc.request_id": "id-1",
        "kubevc.model": "detector",
        "kubevc.model_version": 3,
        "kubevc.code": "ok",
        "kubevc.bytes.from-client": 120,
    }
    resource = collector.requests[0].resource_spans[0].resource
    assert [pair.value.string_value for pair in resource.attributes if pair.key == "service.name"] == ["edge"]


def test_the_model_server_continues_the_span_of_the_request(collector: Collector) -> None:
    tracer = _tracer(collector.address)
    trace = tracer.begin(_headers(), "POST", "/")
    going_on = read_trace_context(dict(trace.metadata))
    trace.end(Told())
    tracer.close()
    assert going_on is not None
    assert (going_on.trace_id, going_on.sampled, going_on.state) == (_TRACE, True, "vendor=1")
    assert going_on.span_id == collector.spans[0].span_id.hex()


@pytest.mark.parametrize(("status", "wrong"), [(200, False), (404, False), (503, True)])
def test_only_an_error_of_the_server_makes_the_span_one(status: int, wrong: bool, collector: Collector) -> None:
    tracer = _tracer(collector.address)
    tracer.begin({}, "POST", "/").end(Told(status=status, code="some-code", version=None))
    tracer.close()
    assert (collector.spans[0].status.code == collector.spans[0].status.STATUS_CODE_ERROR) is wrong


def test_the_ratio_is_for_traces_that_begin_here_and_others_keep_their_choice(collector: Collector) -> None:
    tracer = _tracer(collector.address, **{"sample-ratio": 0})
    own = tracer.begin({}, "POST", "/own")
    own.end(Told())
    tracer.begin(_headers(), "POST", "/sampled").end(Told())
    tracer.begin(_headers(f"00-{_TRACE}-{_PARENT}-00"), "POST", "/unsampled").end(Told())
    tracer.close()
    assert [span.name for span in collector.spans] == ["POST /sampled"]
    context = read_trace_context(dict(own.metadata))
    assert context is not None
    assert not context.sampled


def test_a_collector_that_hangs_holds_nobody_up(collector: Collector) -> None:
    collector.hold.clear()
    tracer = _tracer(collector.address)
    for _ in range(5000):
        tracer.begin({}, "POST", "/").end(Told())
    closed = threading.Event()
    threading.Thread(target=lambda: (tracer.close(), closed.set()), daemon=True).start()
    # Two seconds are the bound; the rest is for a busy machine. The SDK alone would take thirty.
    assert closed.wait(timeout=10)


def test_a_collector_that_is_away_is_told_of_once_a_minute() -> None:
    lines = RareLines()
    passed = [second for second in range(130) if lines.filter(logging.makeLogRecord({"created": 1e9 + second}))]
    assert passed == [0, 60, 120]


def test_spans_come_without_a_close(collector: Collector) -> None:
    tracer = _tracer(collector.address)
    tracer.begin({}, "POST", "/").end(Told())
    wait_until(lambda: len(collector.spans) == 1)
    tracer.close()


@pytest.mark.parametrize("recorded", [True, False])
def test_a_trace_goes_through_the_proxy_to_the_model_server(recorded: bool, collector: Collector, tmp_path) -> None:
    settings = {"tracing": {"endpoint": collector.address}} if recorded else {}
    with (
        serving({"half": all_models()["half"]}) as server,
        running(tmp_path, {**proxy_config(server.address, ["half"]), **settings}) as proxy,
    ):
        answer = proxy.post("half", json={"instances": [2]}, headers=_headers())
        assert answer.json() == {"predictions": [3]}
        wait_until(lambda: any(line["event"] == "request" for line in proxy.read_log()))
        line = next(line for line in proxy.read_log() if line["event"] == "request")
    assert line["trace_id"] == _TRACE
    request = next((span for span in collector.spans if span.name == "POST /v1/models/{model}:predict"), None)
    assert (request is not None) is recorded
    span_id = _PARENT if request is None else request.span_id.hex()
    assert server.trace_parents == [f"00-{_TRACE}-{span_id}-01"]
    if request is not None:
        assert request.parent_span_id.hex() == _PARENT
        assert "kubevc.model_version" in {pair.key for pair in request.attributes}
        assert {"decode", "encode", "model"} <= {span.name for span in collector.spans}


@pytest.mark.parametrize("endpoint", ["collector", "http://collector:4317", "collector:4317/v1", ":4317", "a b:1"])
def test_an_endpoint_that_is_no_host_and_port_is_refused(endpoint: str) -> None:
    with pytest.raises(ValidationError, match="endpoint"):
        TracingSettings.model_validate({"endpoint": endpoint})


def test_stages_add_up_over_threads() -> None:
    stages = Stages()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: stages.add("decode", n, n + 1), range(4000)))
    assert stages.seconds == {"decode": 4000}
    assert 0 < len(stages.spans) < 1000


def test_server_timing_is_in_milliseconds() -> None:
    assert server_timing([("decode", 0.0012), ("model", 0.5)]) == "decode;dur=1.200, model;dur=500.000"
    assert server_timing([]) == ""

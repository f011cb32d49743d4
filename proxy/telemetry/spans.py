"""Spans: traces recorded with the OpenTelemetry SDK and sent to a collector by a thread in the background.

A request's span is open while it is answered; those of its stages are made at its end, from the times noted anyway.
Nothing of a payload becomes part of a span.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
)

from proxy.telemetry.stages import StageSpan
from proxy.telemetry.trace_context import TraceContext, read_trace_context
from proxy.telemetry.tracing import RequestTrace, Told, Tracer, TracingSettings

# While the collector is away spans gather up to this number, about 2 MB, and then the oldest are dropped.
_MAX_WAITING = 2048
_BATCH = 512
_SEND_EVERY_SECONDS = 1.0
_SEND_TIMEOUT_SECONDS = 2.0
_CLOSE_SECONDS = 2.0

_NANOSECONDS = 1_000_000_000


# While the collector is away the SDK says so with every batch.
_TALKATIVE = ("opentelemetry.exporter.otlp.proto.grpc.exporter", "opentelemetry.sdk._shared_internal")
_SAY_EVERY_SECONDS = 60.0


class RareLines(logging.Filter):
    """Let one line of a logger through in each minute."""

    def __init__(self) -> None:
        super().__init__()
        self._quiet_until = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the line is written."""
        if record.created < self._quiet_until:
            return False
        self._quiet_until = record.created + _SAY_EVERY_SECONDS
        return True


class SpanTracer(Tracer):
    """Begin traces that are recorded, if they are sampled."""

    def __init__(self, settings: TracingSettings) -> None:
        for name in _TALKATIVE:
            logging.getLogger(name).addFilter(RareLines())
        # Set here and not by the environment: two places for one setting would surprise.
        exporter = OTLPSpanExporter(settings.endpoint, insecure=True, timeout=_SEND_TIMEOUT_SECONDS)
        processor = BatchSpanProcessor(
            exporter,
            max_queue_size=_MAX_WAITING,
            schedule_delay_millis=_SEND_EVERY_SECONDS * 1000,
            max_export_batch_size=_BATCH,
        )
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
            resource=Resource.create({"service.name": settings.service_name}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("proxy")

    def begin(self, headers: Mapping[str, str], method: str, route: str) -> RequestTrace:
        """Open the span of a request."""
        span = self._tracer.start_span(
            f"{method} {route}",
            context=_parent(read_trace_context(headers)),
            kind=SpanKind.SERVER,
            attributes={"http.request.method": method, "http.route": route},
        )
        return _SpanTrace(self._tracer, span)

    def close(self) -> None:
        """Send what is still waiting; after two seconds, a collector that does not answer is left alone."""
        # The SDK's own shutdown waits for up to 30 s. Its threads are daemons: they end with the process.
        closing = threading.Thread(target=self._provider.shutdown, name="closing-tracer", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)


class _SpanTrace(RequestTrace):
    """Hold the open span of one request."""

    def __init__(self, tracer: trace.Tracer, span: Span) -> None:
        super().__init__(_context(span.get_span_context()))
        self._tracer = tracer
        self._span = span
        # One reading of the wall clock per request: a clock that is set meanwhile does not tear its spans apart.
        self._epoch = time.time_ns() - time.perf_counter_ns()

    def end(self, told: Told) -> None:
        """Close the span, and record those of the stages."""
        if not self._span.is_recording():
            return
        here = trace.set_span_in_context(self._span)
        for passage in told.stages.spans:
            self._record_stage(passage, here)
        self._span.set_attributes(_attributes(told))
        if told.status >= 500:
            self._span.set_status(Status(StatusCode.ERROR, told.code))
        self._span.end(self._epoch + time.perf_counter_ns())

    def _record_stage(self, passage: StageSpan, parent: Context) -> None:
        kind = SpanKind.CLIENT if passage.stage == "model" else SpanKind.INTERNAL
        span = self._tracer.start_span(passage.stage, parent, kind, start_time=self._moment(passage.start))
        span.end(self._moment(passage.end))

    def _moment(self, seconds: float) -> int:
        """Return a moment of the monotonic clock as nanoseconds of the epoch."""
        return self._epoch + int(seconds * _NANOSECONDS)


def _attributes(told: Told) -> dict[str, str | int]:
    attributes: dict[str, str | int] = {
        "http.response.status_code": told.status,
        "kubevc.request_id": told.request_id,
        "kubevc.model": told.model,
        "kubevc.code": told.code,
        **{f"kubevc.bytes.{leg}": count for leg, count in told.bytes_by_leg.items()},
    }
    if told.version is not None:
        attributes["kubevc.model_version"] = told.version
    return attributes


def _parent(context: TraceContext | None) -> Context:
    """Return the SDK's form of where the request came from."""
    if context is None:
        return Context()
    remote = SpanContext(
        trace_id=int(context.trace_id, 16),
        span_id=int(context.span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(context.flags),
        trace_state=TraceState.from_header([context.state]),
    )
    return trace.set_span_in_context(NonRecordingSpan(remote), Context())


def _context(own: SpanContext) -> TraceContext:
    """Return what goes on to the model server: the same trace, caused by our span."""
    return TraceContext(
        trace_id=f"{own.trace_id:032x}",
        span_id=f"{own.span_id:016x}",
        flags=int(own.trace_flags),
        state=own.trace_state.to_header(),
    )

"""Tracing: the place of every request in its trace, passed on always and recorded where the settings ask for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from pydantic import Field

from proxy.document import Document
from proxy.telemetry.stages import Stages
from proxy.telemetry.trace_context import TraceContext, read_trace_context


class TracingSettings(Document):
    """Say where spans go: section `tracing` of the configuration; without it nothing is recorded."""

    endpoint: str = Field(pattern=r"^[^\s/:]+:[0-9]{1,5}$|^\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}$")
    """An OpenTelemetry collector that takes OTLP over gRPC, `host:port` (usually port 4317), without TLS."""
    sample_ratio: float = Field(default=1.0, ge=0, le=1)
    """The part of the traces that begin here and are recorded; a trace that began elsewhere keeps its own choice."""
    service_name: str = Field(default="kubevc-proxy", min_length=1, max_length=100)


class Told(Protocol):
    """What a trace is told of a request that has ended; an exchange has all of it."""

    @property
    def request_id(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def version(self) -> int | None: ...
    @property
    def status(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def bytes_by_leg(self) -> Mapping[str, int]: ...
    @property
    def stages(self) -> Stages: ...


class RequestTrace:
    """Pass the trace of one request on, and record nothing."""

    def __init__(self, context: TraceContext | None) -> None:
        self._context = context

    @property
    def metadata(self) -> Sequence[tuple[str, str]]:
        """Return the headers for the calls that this request causes."""
        return () if self._context is None else self._context.metadata

    @property
    def trace_id(self) -> str | None:
        """Return the trace's id for the log, if the request is part of a trace."""
        return None if self._context is None else self._context.trace_id

    def end(self, told: Told) -> None:
        """Record the request."""
        del told


class Tracer:
    """Begin the traces of requests."""

    def begin(self, headers: Mapping[str, str], method: str, route: str) -> RequestTrace:
        """Begin the trace of a request.

        Args:
            headers: Of the request.
            method: Its HTTP method.
            route: The path as the routes write it, with `{model}` for the model: one name for many requests.
        """
        del method, route
        return RequestTrace(read_trace_context(headers))

    def close(self) -> None:
        """Send what is still waiting, for at most two seconds."""


def make_tracer(settings: TracingSettings | None) -> Tracer:
    """Return the tracer that the settings ask for.

    The SDK behind it takes 0.3 s to import, so it is imported here and only where it is used.
    """
    if settings is None:
        return Tracer()
    from proxy.telemetry.spans import SpanTracer

    return SpanTracer(settings)

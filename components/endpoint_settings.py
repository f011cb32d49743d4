"""The endpoint as a site's file describes it."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import Field

from components.access_settings import Access, Tls
from components.part import Part

NODE_PORT_RANGE = range(30000, 32768)


class PictureAddresses(Part):
    """From where pictures may be fetched. Without hosts no picture is."""

    allowed_hosts: tuple[Annotated[str, Field(pattern=r"^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$")], ...] = ()
    """Host names, such as `images.example.org`; `*.example.org` is every name below it."""
    allowed_networks: tuple[IPv4Network, ...] = ()
    """Private networks that such a host may lie in; otherwise only public addresses are asked."""


class Tracing(Part):
    """Where traces go."""

    endpoint: Annotated[str, Field(pattern=r"^[^\s/:]+:[0-9]{1,5}$")]
    """OpenTelemetry collector, `host:port`, that takes OTLP over gRPC."""
    sample_ratio: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Part of the requests that are traced, 0 to 1. A request that is part of a trace already keeps its choice."""


class Endpoint(Part):
    """The proxy that answers HTTP requests."""

    port_number: Annotated[int, Field(ge=NODE_PORT_RANGE.start, lt=NODE_PORT_RANGE.stop)] = 30080
    """Port on every node (30000 to 32767)."""
    replicas: Annotated[int, Field(ge=1)] = 1
    """Number of proxies."""
    max_body_mib: Annotated[int, Field(ge=1, le=1024)] = 16
    """Largest request body."""
    max_pixels: Annotated[int, Field(ge=1)] = 50_000_000
    """Largest picture, as width times height."""
    max_in_flight: Annotated[int, Field(ge=1)] = 16
    """Requests worked on at once."""
    max_waiting: Annotated[int, Field(ge=0, le=10_000)] = 64
    """Requests that wait for one of those places; more are refused with status 503."""
    max_video_mib: Annotated[int, Field(ge=1, le=4096)] = 64
    """Largest video. A proxy holds it in memory while it is looked at."""
    max_streams: Annotated[int, Field(ge=0, le=1000)] = 8
    """Videos and live streams at once, each with a decoder of its own."""
    deadline_seconds: Annotated[int, Field(ge=1, le=600)] = 10
    """Time for one request, from its last byte to the answer."""
    drain_seconds: Annotated[int, Field(ge=0, le=600)] = 10
    """Time that requests under way have when a proxy stops."""
    linger_seconds: Annotated[int, Field(ge=0, le=600)] = 3
    """Time that a proxy which is told to stop still takes new requests: every node has to hear of it first."""
    batching: bool = True
    """Whether requests of several senders are joined into one call where that is faster."""
    memory_mib: Annotated[int, Field(ge=64)] = 512
    """Memory that a proxy may use."""
    addresses: PictureAddresses = PictureAddresses()
    """Pictures that are named by their address and fetched by the proxy."""
    tracing: Tracing | None = None
    """Traces. Empty means that none are recorded."""
    access: Access = Access()
    """Who may ask, and how often."""
    tls: Tls | None = None
    """Certificate for HTTPS. Empty means HTTP, where keys and pictures can be read on the network."""

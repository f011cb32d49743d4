"""The configuration of the proxy: where it listens, what it allows, which models stand behind it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from proxy.access.settings import Access, Connections, Tls
from proxy.backend.addresses import parse_target
from proxy.backend.settings import BackendSettings
from proxy.document import Document, read_document
from proxy.inputs.address_settings import AddressSettings
from proxy.telemetry.tracing import TracingSettings

MEBIBYTE = 1024 * 1024


class Listen(Document):
    """Say where the proxy listens for HTTP."""

    address: str = "0.0.0.0"
    port_number: int = Field(default=8080, ge=0, le=65535)


class Limits(Document):
    """Bound what one request and all requests together may take."""

    max_body_mib: float = Field(default=16, gt=0, le=1024)
    max_pixels: int = Field(default=50_000_000, gt=0)
    min_side_pixels: int = Field(default=8, gt=0)
    max_in_flight: int = Field(default=16, gt=0)
    max_waiting: int = Field(default=64, ge=0)
    """Requests that wait for a place among those in flight, before more are refused."""
    max_parts: int = Field(default=32, gt=0)
    """Pictures in one form."""
    max_video_mib: float = Field(default=64, gt=0, le=4096)
    """The largest video; it is held in memory while it is looked at."""
    max_frame_pixels: int = Field(default=9_000_000, gt=0)
    """Of one frame of a video; a decoder keeps many frames at once, 64 bytes for each of these pixels."""
    max_video_frames: int = Field(default=1000, gt=0)
    """Frames of one video that are looked at."""
    video_seconds: float = Field(default=600, gt=0)
    """The longest that the answer to one video may take."""
    max_streams: int = Field(default=8, ge=0)
    """Sockets with live frames that are open at once."""

    @property
    def max_body_bytes(self) -> int:
        """Return the largest body, in bytes."""
        return int(self.max_body_mib * MEBIBYTE)

    @property
    def max_video_bytes(self) -> int:
        """Return the largest video, in bytes."""
        return int(self.max_video_mib * MEBIBYTE)


class ModelEntry(Document):
    """Name a model, the server that runs it, and its card."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=128)
    target: str = Field(min_length=1)
    """Where the model server speaks gRPC: `host:port`, or a gRPC name such as `dns:///host:port`."""
    card: Path | None = None
    """The model card (model.yaml); relative to the configuration file. Without one: JSON tensors only."""
    backend: BackendSettings | None = None
    """How its servers are asked; as all others when None."""

    @field_validator("target")
    @classmethod
    def _target_is_an_address(cls, target: str) -> str:
        parse_target(target)
        return target


class ProxyConfig(Document):
    """Hold everything that the proxy is told at its start."""

    listen: Listen = Listen()
    limits: Limits = Limits()
    deadline_seconds: float = Field(default=10, gt=0, le=3600)
    """The longest that one request may take, its upload included."""
    drain_seconds: float = Field(default=10, ge=0, le=3600)
    """How long requests in flight may still take after SIGTERM."""
    linger_seconds: float = Field(default=0, ge=0, le=600)
    """How long after SIGTERM new connections are still taken, until everybody has heard that this proxy ends."""
    backend: BackendSettings = BackendSettings()
    addresses: AddressSettings = AddressSettings()
    """Pictures that are named by their address."""
    tracing: TracingSettings | None = None
    access: Access = Access()
    tls: Tls | None = None
    connections: Connections = Connections()
    models: tuple[ModelEntry, ...] = ()

    @field_validator("models")
    @classmethod
    def _names_are_unique(cls, models: tuple[ModelEntry, ...]) -> tuple[ModelEntry, ...]:
        names = [model.name for model in models]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"model names must differ, these stand more than once: {', '.join(twice)}")
        return models


def load_config(path: Path) -> ProxyConfig:
    """Read the configuration file; paths of cards become relative to the file's folder.

    Raises:
        ConfigError: See `read_document`.
    """
    config = read_document(path, ProxyConfig)
    folder = path.parent
    return config.model_copy(
        update={
            "models": tuple(_anchored(model, folder) for model in config.models),
            "access": config.access.anchored(folder),
            "tls": config.tls and config.tls.anchored(folder),
        }
    )


def _anchored(model: ModelEntry, folder: Path) -> ModelEntry:
    return model if model.card is None else model.model_copy(update={"card": folder / model.card})

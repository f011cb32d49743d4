"""What differs between servers of the TensorFlow Serving protocol."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Framework:
    """A server; all of them take the command line of `tensorflow_model_server`."""

    command: tuple[str, ...]
    """Program in the image."""
    architectures: tuple[str, ...]
    """Architectures that its image exists for."""
    image_artifact: str | None
    """Artifact with its image, preloaded on nodes, or None for an image that nodes pull."""
    image_reference: str | None
    """Image that nodes pull, or None where the table of artifacts tells it."""

"""Artifacts for a host whose architecture is known only when it has answered."""

from __future__ import annotations

import pulumi

from components.artifacts import ArtifactSource, LockedArtifact
from components.errors import LockTableError
from components.handles import Host


def located(
    artifacts: ArtifactSource, host: Host, name: str, version: str | None = None
) -> pulumi.Output[LockedArtifact]:
    """Return an artifact for a host's architecture; a missing one ends the program with its message alone."""

    def locate(architecture: str) -> LockedArtifact:
        try:
            return artifacts.locate(name, version, architecture)
        except LockTableError as error:
            raise pulumi.RunError(f"{host.name}: {error}") from error

    return host.architecture.apply(locate)

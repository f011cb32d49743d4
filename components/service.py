"""The service that makes a host a node, whatever the distribution: its unit and the configuration it reads."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.handles import PreparedNode
from edgehost import client


@dataclass(frozen=True, kw_only=True)
class NodeService:
    """A service as text."""

    unit_name: str
    """Name of the systemd unit."""
    unit_text: str
    """Content of the unit's file."""
    config_path: str
    """File that the service reads when it starts."""
    config_text: str
    """Content of that file."""


@dataclass(frozen=True, kw_only=True)
class ConfiguredService:
    """A service whose configuration is on its host."""

    needs: Sequence[pulumi.Resource]
    """What must be there before the service starts."""
    restart_on: pulumi.Output[dict[str, str]]
    """Hashes of what the service reads only when it starts."""


def configure(
    parent: pulumi.ComponentResource, name: str, service: NodeService, prepared: PreparedNode
) -> ConfiguredService:
    """Write a service's configuration onto its prepared host."""
    file = client.File(
        f"{name}-config",
        host=prepared.host.reference,
        path=service.config_path,
        content=service.config_text,
        mode="0600",
        opts=pulumi.ResourceOptions(parent=parent, provider=prepared.host.provider),
    )
    texts = {"config": service.config_text, "unit": service.unit_text}
    hashes = {key: hashlib.sha256(text.encode()).hexdigest() for key, text in texts.items()}
    return ConfiguredService(
        needs=(file, *prepared.prepared_by),
        restart_on=prepared.versions.apply(lambda versions: {**versions, **hashes}),
    )

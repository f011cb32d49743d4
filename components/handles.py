"""Values that travel between components: what the next one needs to know, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi

from edgehost import client


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host that may be changed: its facts were read and nothing stands in the way."""

    name: str
    """Name of the host."""
    address: pulumi.Output[str]
    """Its address; it resolves only once the facts of every host of the site have been judged."""
    architecture: pulumi.Output[str]
    """`amd64`, `arm64` or `armhf`; it resolves with the address, and is unknown in a preview of a host that does not
    answer."""
    provider: pulumi.ProviderResource
    """The edgehost provider that enters it."""

    @property
    def reference(self) -> client.HostArgs:
        """Return the `host` argument of every edgehost resource."""
        return {"name": self.name, "address": self.address}


@dataclass(frozen=True, kw_only=True)
class PreparedNode:
    """A host with everything that a node needs, and no Kubernetes running yet."""

    host: Host
    versions: pulumi.Output[dict[str, str]]
    """Name of each installed file to its sha256: a service that uses them restarts when one changes."""
    prepared_by: Sequence[pulumi.Resource]
    """What must be there before the node's service starts."""
    images: pulumi.Output[dict[str, str]]
    """Artifact of each preloaded image to the reference that pods name."""


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A node that runs workloads."""

    host: Host
    """Its host."""
    labels: Mapping[str, str]
    """The labels that the site gives it."""
    ready_by: pulumi.Resource
    """What must be there before a workload is placed on it."""


@dataclass(frozen=True, kw_only=True)
class ClusterAccess:
    """A running cluster."""

    server: Host
    """Host that nodes join at."""
    url: str
    """Address of the API."""
    kubeconfig: pulumi.Output[str]
    """Administrator's kubeconfig; a secret."""
    version: pulumi.Output[str]
    """Version that the API reports."""
    started_by: pulumi.Resource
    """What must be there before a node joins."""
    node: Worker
    """The server as a node."""


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """The namespace of a site's workloads."""

    provider: pulumi.ProviderResource
    """The Kubernetes provider of this cluster."""
    namespace: pulumi.Output[str]
    """Its name; it resolves once the namespace is there."""
    workers: Sequence[Worker]
    """Nodes that run workloads."""
    spares_server: bool
    """Whether workloads keep off the server, because there are agents."""

    @property
    def ready_by(self) -> list[pulumi.Resource]:
        """Return what must be there before a workload has a node to run on."""
        return [worker.ready_by for worker in self.workers]


@dataclass(frozen=True, kw_only=True)
class ModelVolume:
    """The store as pods mount it."""

    claim_name: pulumi.Output[str]
    """PersistentVolumeClaim, read-only, in the workspace's namespace."""
    published: dict[str, pulumi.Output[str]]
    """Model to a hash over everything that is published of it; it resolves when the files are in place."""
    published_by: Sequence[pulumi.Resource]
    """What must be there before a server starts."""


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A model that a server in the cluster answers for."""

    name: str
    target: str
    """Address for gRPC, as its clients write it."""
    card: str
    """Text of the model's `model.yaml`."""
    files: Mapping[str, str]
    """Text of each file that the card names, by the name that the card gives it."""
    ready: pulumi.Output[str]
    """Hash of what the server runs; it resolves when the server is ready."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where requests are answered."""

    url: pulumi.Output[str]
    """Base address, without a path."""
    certificate_file: Path | None
    """Certificate that it shows, on this machine; none without HTTPS."""
    ready: pulumi.Output[str]
    """Hash of what the proxy runs; it resolves when it is ready."""

"""k3s: the server that starts a cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import k3s_files
from components.handles import ClusterAccess, PreparedNode, Worker
from components.service import configure
from components.site import Kubernetes, Node
from edgehost import client


@dataclass(frozen=True, kw_only=True)
class K3sServerArgs:
    """What a server is made of."""

    kubernetes: Kubernetes
    """The cluster's settings."""
    node: Node
    """The server, as the site describes it."""
    prepared: PreparedNode
    """Its host."""


class K3sServer(pulumi.ComponentResource):
    """Start k3s on a prepared host and read the administrator's access."""

    access: ClusterAccess

    def __init__(self, name: str, args: K3sServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:k3s:K3sServer", name, None, opts)
        unit = self._start(name, args)
        self.access = self._read_access(name, args, unit)
        self.register_outputs({})

    def _start(self, name: str, args: K3sServerArgs) -> pulumi.Resource:
        service = k3s_files.server_service(args.kubernetes, args.node)
        configured = configure(self, name, service, args.prepared)
        return client.Unit(
            f"{name}-unit",
            host=args.prepared.host.reference,
            unit_name=service.unit_name,
            content=service.unit_text,
            restart_on=configured.restart_on,
            opts=pulumi.ResourceOptions(parent=self, provider=args.prepared.host.provider, depends_on=configured.needs),
        )

    def _read_access(self, name: str, args: K3sServerArgs, unit: pulumi.Resource) -> ClusterAccess:
        host = args.prepared.host
        access = client.ClusterAccess(
            f"{name}-access",
            host=host.reference,
            distribution="k3s",
            wanted_version=args.kubernetes.version,
            networks=args.kubernetes.networks,
            unit_name=k3s_files.SERVER_UNIT,
            node_name=args.node.name,
            labels=args.node.labels,
            ready_timeout_seconds=args.kubernetes.ready_timeout_seconds,
            opts=pulumi.ResourceOptions(parent=self, provider=host.provider, depends_on=[unit]),
        )
        return ClusterAccess(
            server=host,
            url=args.node.api_url,
            kubeconfig=pulumi.Output.secret(access.kubeconfig),
            version=access.version,
            started_by=unit,
            node=Worker(host=host, labels=args.node.labels, ready_by=access),
        )

"""A prepared host that joins the cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components.cluster import agent_service, join_token_file
from components.handles import ClusterAccess, PreparedNode, Worker
from components.service import configure
from components.site import Kubernetes, Node
from edgehost import client


@dataclass(frozen=True, kw_only=True)
class JoinArgs:
    """What joining needs."""

    kubernetes: Kubernetes
    """The cluster's settings."""
    node: Node
    """The node, as the site describes it."""
    prepared: PreparedNode
    """The node's host."""
    access: ClusterAccess
    """The cluster."""


class Join(pulumi.ComponentResource):
    """Join a node with a token that lives less than a minute and that nothing keeps.

    The unit is written, but the membership starts it: the token must be minted after everything else is in place.
    """

    worker: Worker

    def __init__(self, name: str, args: JoinArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:join:Join", name, None, opts)
        host = args.prepared.host
        service = agent_service(args.kubernetes, args.node, args.access.url)
        configured = configure(self, name, service, args.prepared)
        unit = client.Unit(
            f"{name}-unit",
            host=host.reference,
            unit_name=service.unit_name,
            content=service.unit_text,
            active=None,
            opts=pulumi.ResourceOptions(parent=self, provider=host.provider, depends_on=configured.needs),
        )
        member = client.ClusterMember(
            f"{name}-member",
            host=host.reference,
            server=args.access.server.reference,
            distribution=args.kubernetes.distribution,
            node_name=args.node.name,
            unit_name=service.unit_name,
            token_file=join_token_file(args.kubernetes),
            server_url=args.access.url,
            labels=args.node.labels,
            restart_on=configured.restart_on,
            ready_timeout_seconds=args.kubernetes.ready_timeout_seconds,
            opts=pulumi.ResourceOptions(parent=self, provider=host.provider, depends_on=[unit, args.access.started_by]),
        )
        self.worker = Worker(host=host, labels=args.node.labels, ready_by=member)
        self.register_outputs({})

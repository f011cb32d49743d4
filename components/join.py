"""A prepared host that joins the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.cluster import Admission, admission
from components.handles import ClusterAccess, PreparedNode, Worker
from components.ordering import after
from components.service import configure
from components.site import Node, Site
from edgehost import client


@dataclass(frozen=True, kw_only=True)
class JoinArgs:
    """What joining needs."""

    site: Site
    """The site."""
    node: Node
    """The node, as the site describes it."""
    prepared: PreparedNode
    """The node's host."""
    access: ClusterAccess
    """The cluster."""
    after: Sequence[Worker] = ()
    """Nodes that join, and are upgraded, before it: those of the control plane."""


class Join(pulumi.ComponentResource):
    """Join a node with a token that lives less than a minute and that nothing keeps.

    The unit is written, but the membership starts it: the token must be minted after everything else is in place.
    """

    worker: Worker

    def __init__(self, name: str, args: JoinArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:join:Join", name, None, opts)
        self._on_host = pulumi.ResourceOptions(parent=self, provider=args.prepared.host.provider)
        admitted = admission(args.site, args.node, args.prepared, args.access.url)
        member = self._join(name, args, admitted)
        if admitted.plane_settings is not None:
            member = self._keep_plane(name, args, admitted, member)
        self.worker = Worker(host=args.prepared.host, labels=args.node.labels, ready_by=member)
        self.register_outputs({})

    def _join(self, name: str, args: JoinArgs, admitted: Admission) -> pulumi.Resource:
        host, service = args.prepared.host.reference, admitted.service
        configured = configure(self, name, service, args.prepared)
        unit = client.Unit(
            f"{name}-unit",
            host=host,
            unit_name=service.unit_name,
            content=service.unit_text,
            active=None,
            opts=after(self._on_host, configured.needs),
        )
        return client.ClusterMember(
            f"{name}-member",
            host=host,
            server=args.access.server.reference,
            distribution=args.site.kubernetes.distribution,
            node_name=args.node.name,
            unit_name=service.unit_name,
            token_file=admitted.token_file,
            settings=admitted.settings,
            version=admitted.version,
            control_plane=args.node.role == "server",
            server_url=args.access.url,
            labels=args.node.labels,
            restart_on=configured.restart_on,
            ready_timeout_seconds=args.site.kubernetes.ready_timeout_seconds,
            opts=after(self._on_host, [unit, args.access.started_by, *(node.ready_by for node in args.after)]),
        )

    def _keep_plane(self, name: str, args: JoinArgs, admitted: Admission, member: pulumi.Resource) -> pulumi.Resource:
        """Watch over the part of the control plane that came with the node."""
        return client.ControlPlane(
            f"{name}-plane",
            host=args.prepared.host.reference,
            node_name=args.node.name,
            unit_name=admitted.service.unit_name,
            version=args.site.kubernetes.version,
            settings=admitted.plane_settings or "",
            starts_cluster=False,
            opts=after(self._on_host, [member]),
        )

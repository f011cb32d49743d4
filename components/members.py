"""The nodes that join a cluster: servers one after the other, then agents side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.handles import ClusterAccess, PreparedNode, Worker
from components.join import Join, JoinArgs
from components.site import Node, Site


@dataclass(frozen=True, kw_only=True)
class MembersArgs:
    """What joining needs."""

    site: Site
    """The site; its first server has started the cluster."""
    prepared: Mapping[str, PreparedNode]
    """Host of each node, by the node's name."""
    access: ClusterAccess
    """The cluster."""


class Members(pulumi.ComponentResource):
    """Let every other node of a site join, those of the control plane first."""

    workers: Sequence[Worker]

    def __init__(self, name: str, args: MembersArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:members:Members", name, None, opts)
        self._name, self._given = name, args
        servers = [self._join(node, after=()) for node in args.site.servers[1:]]
        agents = [self._join(node, after=servers) for node in args.site.agents]
        self.workers = agents or (args.access.node, *servers)
        self.register_outputs({})

    def _join(self, node: Node, *, after: Sequence[Worker]) -> Worker:
        given = self._given
        args = JoinArgs(
            site=given.site, node=node, prepared=given.prepared[node.name], access=given.access, after=after
        )
        return Join(f"{self._name}-{node.name}", args, pulumi.ResourceOptions(parent=self)).worker

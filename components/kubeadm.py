"""kubeadm: the control plane that starts a cluster."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import kubeadm_config, kubeadm_files
from components.handles import ClusterAccess, PreparedNode, Worker
from components.ordering import after
from components.service import configure
from components.site import Node, Site
from edgehost import client


@dataclass(frozen=True, kw_only=True)
class KubeadmServerArgs:
    """What a control plane is made of."""

    site: Site
    """The site; its first server is this one."""
    prepared: PreparedNode
    """The server's host."""


class KubeadmServer(pulumi.ComponentResource):
    """Start a cluster on a prepared host and read the administrator's access."""

    access: ClusterAccess

    def __init__(self, name: str, args: KubeadmServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("kubevc:kubeadm:KubeadmServer", name, None, opts)
        self._on_host = pulumi.ResourceOptions(parent=self, provider=args.prepared.host.provider)
        agent = self._install_agent(name, args)
        plane = self._start(name, args, agent)
        self.access = self._read_access(name, args, plane)
        self.register_outputs({})

    def _install_agent(self, name: str, args: KubeadmServerArgs) -> pulumi.Resource:
        service = kubeadm_files.node_service(args.site.kubernetes)
        configured = configure(self, name, service, args.prepared)
        return client.Unit(
            f"{name}-unit",
            host=args.prepared.host.reference,
            unit_name=service.unit_name,
            content=service.unit_text,
            restart_on=configured.restart_on,
            opts=after(self._on_host, configured.needs),
        )

    def _start(self, name: str, args: KubeadmServerArgs, agent: pulumi.Resource) -> client.ControlPlane:
        return client.ControlPlane(
            f"{name}-plane",
            host=args.prepared.host.reference,
            node_name=args.site.server.name,
            unit_name=kubeadm_files.KUBELET_UNIT,
            version=args.site.kubernetes.version,
            settings=prepared_plane(args.site, args.site.server, args.prepared),
            others=[{"name": node.name, "address": str(node.address)} for node in args.site.servers[1:]],
            ready_timeout_seconds=args.site.kubernetes.ready_timeout_seconds,
            opts=after(self._on_host, [agent]),
        )

    def _read_access(self, name: str, args: KubeadmServerArgs, plane: client.ControlPlane) -> ClusterAccess:
        host = args.prepared.host
        access = client.ClusterAccess(
            f"{name}-access",
            host=host.reference,
            distribution="kubeadm",
            wanted_version=args.site.kubernetes.version,
            networks=args.site.kubernetes.networks,
            unit_name=kubeadm_files.KUBELET_UNIT,
            node_name=args.site.server.name,
            labels=args.site.server.labels,
            renewed_on={"administrator-until": plane.administrator_until},
            # The network that its node waits for comes through this access.
            awaits_node=False,
            ready_timeout_seconds=args.site.kubernetes.ready_timeout_seconds,
            opts=after(self._on_host, [plane]),
        )
        return ClusterAccess(
            server=host,
            url=args.site.server.api_url,
            kubeconfig=pulumi.Output.secret(access.kubeconfig),
            version=access.version,
            started_by=plane,
            node=Worker(host=host, labels=args.site.server.labels, ready_by=access),
        )


def prepared_plane(site: Site, node: Node, prepared: PreparedNode) -> pulumi.Output[str]:
    """Return what kubeadm is told of the control plane on a node, with the images that its host has."""
    return prepared.images.apply(lambda images: kubeadm_config.plane_settings(site, node, images))

"""Nodes that no longer work when their site is deleted."""

import pulumi

from edgehost.client.host_resource import HostArgs, HostResource


class NodeRelease(HostResource):
    """Have nobody wait for a node that no longer works: let it depend on everything that has pods in the cluster."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        server: HostArgs,
        node_name: pulumi.Input[str],
        distribution: pulumi.Input[str] = "k3s",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the release.

        Args:
            resource_name: The resource's name in the stack.
            host: The node's host.
            server: A host of the cluster's control plane, where nodes are asked for.
            node_name: The node's name in the cluster.
            distribution: "k3s" or "kubeadm".
            opts: Pulumi's options.
        """
        arguments = {"host": host, "server": server, "node_name": node_name, "distribution": distribution}
        super().__init__(resource_name, arguments, [], opts)

"""Hosts as nodes of a cluster."""

from collections.abc import Mapping

import pulumi

from edgehost.client.host_resource import HostArgs, HostResource


class ClusterAccess(HostResource):
    """Have a cluster that answers: waits for its API and its first node, and hands out the kubeconfig."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        node_name: pulumi.Input[str],
        unit_name: pulumi.Input[str] = "k3s.service",
        distribution: pulumi.Input[str] = "k3s",
        wanted_version: pulumi.Input[str] | None = None,
        networks: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        renewed_on: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        awaits_node: pulumi.Input[bool] = True,
        ready_timeout_seconds: pulumi.Input[int] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the access.

        Args:
            resource_name: The resource's name in the stack.
            host: The server's host; its address becomes the API's address in the kubeconfig.
            node_name: The server's own node.
            unit_name: The unit that runs the server; it is stopped before its data are removed on delete.
            distribution: "k3s" or "kubeadm".
            wanted_version: The version of Kubernetes that the site asks for; a step that no cluster survives is
                refused.
            networks: The networks of pods and Services, by these names; others than it was begun with are refused.
            labels: Labels of the server's node.
            renewed_on: What the kubeconfig follows from beside the cluster itself; a change of any reads it anew.
            awaits_node: Whether the node has to be Ready before anybody gets in.
            ready_timeout_seconds: How long the API and the node may take.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "node_name": node_name,
            "unit_name": unit_name,
            "distribution": distribution,
            "wanted_version": wanted_version,
            "networks": networks,
            "labels": labels,
            "renewed_on": renewed_on,
            "awaits_node": awaits_node,
            "ready_timeout_seconds": ready_timeout_seconds,
        }
        super().__init__(resource_name, arguments, ["kubeconfig", "version", "status"], opts)

    @property
    def kubeconfig(self) -> pulumi.Output[str]:
        """Hold the administrator's kubeconfig; a secret."""
        return self._output("kubeconfig", str)

    @property
    def version(self) -> pulumi.Output[str]:
        """Hold the API server's version."""
        return self._output("version", str)


class ClusterMember(HostResource):
    """Have a host be a node of a cluster: joined with a token of a minute, drained and cleaned on delete."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        server: HostArgs,
        node_name: pulumi.Input[str],
        unit_name: pulumi.Input[str],
        token_file: pulumi.Input[str] | None = None,
        settings: pulumi.Input[str] | None = None,
        version: pulumi.Input[str] | None = None,
        control_plane: pulumi.Input[bool] = False,
        distribution: pulumi.Input[str] = "k3s",
        server_url: pulumi.Input[str] | None = None,
        labels: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        restart_on: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        ready_timeout_seconds: pulumi.Input[int] = 180,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the membership.

        Args:
            resource_name: The resource's name in the stack.
            host: The host that joins.
            server: A host of the cluster's control plane, where tokens are minted and nodes are asked for.
            node_name: The node's name in the cluster.
            unit_name: The agent's unit, which must be installed but need not run.
            token_file: Where an agent of k3s reads its token; nothing usable stays there.
            settings: A JoinConfiguration of kubeadm without its discovery, which is added when the host joins.
            version: The version of Kubernetes that the node runs, for kubeadm; another one is an upgrade.
            control_plane: Whether the node becomes a part of the control plane, for kubeadm.
            distribution: "k3s" or "kubeadm".
            server_url: The API's address as the agent uses it.
            labels: The node's labels; others on the node are left alone.
            restart_on: Hashes of what the agent reads at its start; a change of any restarts it.
            ready_timeout_seconds: How long the node may take to be Ready.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "server": server,
            "node_name": node_name,
            "unit_name": unit_name,
            "token_file": token_file,
            "settings": settings,
            "version": version,
            "control_plane": control_plane,
            "distribution": distribution,
            "server_url": server_url,
            "labels": labels,
            "restart_on": restart_on,
            "ready_timeout_seconds": ready_timeout_seconds,
        }
        super().__init__(resource_name, arguments, ["status", "node_uid"], opts)

    @property
    def status(self) -> pulumi.Output[str]:
        """Hold `Ready`, or what keeps the host from being a Ready node."""
        return self._output("status", str)

    @property
    def node_uid(self) -> pulumi.Output[str]:
        """Hold the node object's uid; it changes when the host joins anew."""
        return self._output("node_uid", str)

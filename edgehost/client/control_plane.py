"""The control plane of a kubeadm cluster."""

from collections.abc import Sequence

import pulumi

from edgehost.client.host_resource import HostArgs, HostResource


class ControlPlane(HostResource):
    """Have a host's part of a control plane: made by kubeadm, whole, at one version, with certificates that last."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        node_name: pulumi.Input[str],
        unit_name: pulumi.Input[str],
        version: pulumi.Input[str],
        settings: pulumi.Input[str],
        starts_cluster: pulumi.Input[bool] = True,
        others: Sequence[HostArgs] = (),
        ready_timeout_seconds: pulumi.Input[int] = 300,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the control plane.

        Args:
            resource_name: The resource's name in the stack.
            host: The host.
            node_name: The host's node.
            unit_name: The unit of kubelet, which must be installed but need not run.
            version: The version of Kubernetes; another one is an upgrade of the cluster's control plane.
            settings: kubeadm's configuration objects, the ClusterConfiguration last and without its version.
            starts_cluster: Whether the cluster begins here; the other control planes join it as members first.
            others: The other servers. While one of them has a cluster, none begins here.
            ready_timeout_seconds: How long the node may take to be Ready after an upgrade.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "node_name": node_name,
            "unit_name": unit_name,
            "version": version,
            "settings": settings,
            "starts_cluster": starts_cluster,
            "others": list(others),
            "ready_timeout_seconds": ready_timeout_seconds,
        }
        super().__init__(resource_name, arguments, ["administrator_until"], opts)

    @property
    def administrator_until(self) -> pulumi.Output[str]:
        """Hold when the administrator's certificate ends; another one comes with another kubeconfig."""
        return self._output("administrator_until", str)

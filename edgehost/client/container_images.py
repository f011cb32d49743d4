"""Images in the container runtime of a host."""

from collections.abc import Mapping

import pulumi

from edgehost.client.host_resource import HostArgs, HostResource


class ContainerImages(HostResource):
    """Have the images of given archives in containerd, in the namespace of Kubernetes. One per host."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        socket: pulumi.Input[str],
        archives: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        checksums: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the images.

        Args:
            resource_name: The resource's name in the stack.
            host: The host.
            socket: The path of containerd's socket.
            archives: The path of each archive on the host, by a name for it; archives are what `docker save` writes.
            checksums: The sha256 of each archive, by the same names; another one is imported anew.
            opts: Pulumi's options.
        """
        arguments = {"host": host, "socket": socket, "archives": archives, "checksums": checksums}
        super().__init__(resource_name, arguments, [], opts)

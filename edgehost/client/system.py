"""The system of a host: packages and the kernel."""

from collections.abc import Mapping, Sequence

import pulumi

from edgehost.client.host_resource import HostArgs, HostResource


class Packages(HostResource):
    """Have packages of the host's distribution installed; what was added for them is purged on delete."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        names: pulumi.Input[Sequence[pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "names": names}, ["installed"], opts)

    @property
    def installed(self) -> pulumi.Output[list[str]]:
        """List every package that this resource added, dependencies included."""
        return self._output("installed", list[str])


class Sysctls(HostResource):
    """Have kernel settings set now and at every start; previous values come back on delete. One per host."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        settings: pulumi.Input[Mapping[str, pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "settings": settings}, [], opts)


class KernelFeatures(HostResource):
    """Have kernel features there, built in or loaded as modules now and at every start. One per host."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        names: pulumi.Input[Sequence[pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "names": names}, [], opts)


class SwapOff(HostResource):
    """Have no swap, now and at every start. One per host."""

    def __init__(self, resource_name: str, *, host: HostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(resource_name, {"host": host}, [], opts)


class CgroupControllers(HostResource):
    """Have cgroup controllers active; on a Raspberry Pi this may ask for a reboot. One per host."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        names: pulumi.Input[Sequence[pulumi.Input[str]]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(resource_name, {"host": host, "names": names}, [], opts)

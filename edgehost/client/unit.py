"""Units of a host."""

from collections.abc import Mapping

import pulumi

from edgehost.client.host_resource import HostArgs, HostResource


class Unit(HostResource):
    """Have a systemd unit with a content, enabled and active or not."""

    def __init__(
        self,
        resource_name: str,
        *,
        host: HostArgs,
        unit_name: pulumi.Input[str],
        content: pulumi.Input[str] | None = None,
        enabled: pulumi.Input[bool] | None = True,
        active: pulumi.Input[bool] | None = True,
        restart_on: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None,
        start_timeout_seconds: pulumi.Input[int] = 180,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register the unit.

        Args:
            resource_name: The resource's name in the stack.
            host: The host.
            unit_name: The unit's name with its ending.
            content: The unit file's text; None means a unit that a package carries.
            enabled: Whether it starts with the host; None leaves that to others.
            active: Whether it runs now; None leaves that to others.
            restart_on: Hashes of what the unit reads at its start; a change of any restarts it.
            start_timeout_seconds: How long a start may take.
            opts: Pulumi's options.
        """
        arguments = {
            "host": host,
            "unit_name": unit_name,
            "content": content,
            "enabled": enabled,
            "active": active,
            "restart_on": restart_on,
            "start_timeout_seconds": start_timeout_seconds,
        }
        super().__init__(resource_name, arguments, [], opts)

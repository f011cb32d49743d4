"""What all resources of a host have in common."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, TypeVar, cast

import pulumi

from edgehost.naming import property_name

PACKAGE = "edgehost"
T = TypeVar("T")


class HostArgs(TypedDict):
    """Name one host: its name in the site and the IP address or DNS name under which its key is pinned."""

    name: pulumi.Input[str]
    address: pulumi.Input[str]


class HostResource(pulumi.CustomResource):
    """What all resources of a host have in common."""

    def __init__(
        self,
        resource_name: str,
        arguments: Mapping[str, Any],
        outputs: Sequence[str],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        given = {property_name(name): value for name, value in arguments.items()}
        wanted = dict.fromkeys(property_name(name) for name in (*outputs, "host_status"))
        super().__init__(f"{PACKAGE}:index:{type(self).__name__}", resource_name, {**given, **wanted}, opts)

    @property
    def host_status(self) -> pulumi.Output[str]:
        """Say "reachable" or, when the host did not answer the last refresh, "unreachable"."""
        return self._output("host_status", str)

    def _output(self, name: str, _: type[T]) -> pulumi.Output[T]:
        return cast("pulumi.Output[T]", self.__dict__[property_name(name)])

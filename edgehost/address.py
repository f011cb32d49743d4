"""Which host a resource lives on."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class HostAddress:
    """Name one host.

    The name is the host's identity: under another name a resource is another resource. The address is only the way
    to it: a host that was given a new address keeps its resources.

    Attributes:
        name: The host's name in the site.
        address: An IP address or DNS name; the known_hosts file pins the key under it.
    """

    name: str
    address: str

    def __str__(self) -> str:
        return f"{self.name} ({self.address})"

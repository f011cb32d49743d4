"""The way to a cluster's API where only SSH gets through."""

from dataclasses import dataclass

from edgehost.address import HostAddress


@dataclass(frozen=True, kw_only=True)
class Route:
    """Say where a tunnel begins, through which host it goes, and where it ends.

    Attributes:
        local_address: A loopback address of this machine. Whoever listens there leads to the same end: two tunnels of
            one user may share it, so it must not serve another route.
        local_port: The TCP port that clients connect to.
        host: The host whose SSH server forwards.
        target_address: The API's address as that host sees it.
        target_port: The API's port there.
    """

    local_address: str
    local_port: int
    host: HostAddress
    target_address: str
    target_port: int

    @property
    def entrance(self) -> str:
        """Return what a client connects to."""
        return f"{self.local_address}:{self.local_port}"

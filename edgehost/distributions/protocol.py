"""What the cluster's resources need to know about a distribution."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from edgehost.errors import InputError
from edgehost.host import Host


@dataclass(frozen=True)
class JoinToken:
    """Hold the secrets that let one node in; they are printed nowhere, not even in a repr.

    Attributes:
        token_id: Its public half, by which it is deleted.
        pin: What pins the cluster's CA, in the distribution's own form; it opens nothing.
        secret: The token itself.
        certificate_key: What opens the control plane's certificates, where the node becomes a part of it.
    """

    token_id: str
    pin: str
    secret: str = field(repr=False)
    certificate_key: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Say what one host is to its cluster.

    Attributes:
        node_name: The node's name.
        unit_name: The unit of the node's agent.
        version: The version of Kubernetes that it is to run; empty where the agent's program alone decides.
        token_file: Where the agent reads its token, for a distribution that has such a file.
        settings: What the distribution's own program is told when the host joins, for one that has such a program.
        server_url: The API's address as the agent uses it.
        control_plane: Whether the node becomes a part of the control plane.
    """

    node_name: str
    unit_name: str
    version: str = ""
    token_file: str = ""
    settings: str = ""
    server_url: str = ""
    control_plane: bool = False


class Distribution(Protocol):
    """Say how one distribution lets nodes in and leaves a host."""

    # How long a token lives in seconds; a slower join mints another one.
    token_seconds: int
    # The administrator's kubeconfig on a server.
    kubeconfig_path: str

    def check(self, member: Membership) -> list[InputError]:
        """Return what a membership lacks."""
        ...

    def identity_paths(self, member: Membership) -> Sequence[str]:
        """Return the files on a member's host that let it into the cluster again after a restart."""
        ...

    async def mint(self, server: Host, member: Membership) -> JoinToken:
        """Make a token for one node on the server."""
        ...

    async def revoke(self, server: Host, token: JoinToken) -> None:
        """Delete a token on the server; one that is gone already is no error."""
        ...

    async def enter(self, host: Host, token: JoinToken, member: Membership) -> None:
        """Start the host's agent with the token, without it ever being on a disk."""
        ...

    async def wipe(self, host: Host, token: JoinToken, member: Membership) -> None:
        """Leave nothing on the host that opens anything."""
        ...

    async def forget_identity(self, host: Host, member: Membership) -> None:
        """Stop the agent and remove what the host knows of a cluster that it is no longer a node of."""
        ...

    async def forget_node(self, server: Host, member: Membership) -> None:
        """Remove what the server keeps of a node without an object, so that a host of that name may join."""
        ...

    async def upgrade(self, host: Host, member: Membership) -> None:
        """Bring a drained member to the version of its membership and start its agent anew."""
        ...

    async def withdraw(self, host: Host, member: Membership) -> None:
        """Take a drained member out of what the control plane keeps among its nodes, before its node goes."""
        ...

    async def uninstall(self, host: Host, unit_name: str) -> None:
        """Stop the unit and remove everything that it left on the host, running pods included."""
        ...

    async def forget_token(self, host: Host, member: Membership) -> None:
        """Remove what `wipe` left in the token's place."""
        ...

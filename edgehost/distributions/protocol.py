"""What the cluster's resources need to know about a distribution."""

from dataclasses import dataclass, field
from typing import Protocol

from edgehost.host import Host


@dataclass(frozen=True)
class JoinToken:
    """Hold the secret that lets one node in; it is printed nowhere, not even in a repr.

    Attributes:
        token_id: Its public half, by which it is deleted.
        spent: What may stay in the token's place after the join: pins the cluster's CA and opens nothing.
        secret: The token itself.
    """

    token_id: str
    spent: str
    secret: str = field(repr=False)


class Distribution(Protocol):
    """Say how one distribution lets nodes in and leaves a host."""

    # How long a token lives in seconds; a slower join mints another one.
    token_seconds: int
    # The administrator's kubeconfig on a server.
    kubeconfig_path: str
    # A file on an agent's host that is there once it was let in.
    identity_path: str

    async def mint(self, server: Host, node_name: str) -> JoinToken:
        """Make a token for one node on the server."""
        ...

    async def revoke(self, server: Host, token: JoinToken) -> None:
        """Delete a token on the server; one that is gone already is no error."""
        ...

    async def place(self, host: Host, token: JoinToken, token_file: str) -> None:
        """Let the host's agent find the token, without it ever being on a disk."""
        ...

    async def wipe(self, host: Host, token: JoinToken, token_file: str) -> None:
        """Leave only the spent token where the live one was."""
        ...

    async def forget_identity(self, host: Host, unit_name: str) -> None:
        """Stop the agent and remove what the host knows of a cluster that it is no longer a node of."""
        ...

    async def forget_node(self, server: Host, node_name: str) -> None:
        """Remove what the server keeps of a node without an object, so that a host of that name may join."""
        ...

    async def uninstall(self, host: Host, unit_name: str) -> None:
        """Stop the unit and remove everything that it left on the host, running pods included."""
        ...

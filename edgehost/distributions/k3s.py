"""k3s: bootstrap tokens for agents, one folder of data."""

import re
from collections.abc import Sequence

from edgehost.distributions.protocol import JoinToken, Membership
from edgehost.errors import CommandFailed, InputError
from edgehost.file_arguments import check_path
from edgehost.host import Host

# K10 + the sha256 of the cluster's CA + :: + the token's id + . + its secret.
TOKEN = re.compile(r"(?P<pin>K10[0-9a-f]{64})::(?P<id>[a-z0-9]{6})\.(?P<secret>[a-z0-9]{16})")
# The agent's unit needs its token file at every start, but not a live secret in it: the CA's pin is enough.
SPENT = "used00.0000000000000000"
# The last of the certificates that an agent fetches with its token.
CERTIFICATE = "/var/lib/rancher/k3s/agent/client-k3s-controller.crt"
UNINSTALL_SECONDS = 300.0


class K3s:
    """Let agents in with bootstrap tokens that live for a minute."""

    token_seconds = 60
    kubeconfig_path = "/etc/rancher/k3s/k3s.yaml"

    def check(self, member: Membership) -> list[InputError]:
        return check_path("tokenFile", member.token_file)

    def identity_paths(self, member: Membership) -> Sequence[str]:
        return member.token_file, CERTIFICATE

    async def mint(self, server: Host, member: Membership) -> JoinToken:
        report = await server.change("k3s-token-create", NODE=member.node_name, TTL=f"{self.token_seconds}s")
        found = TOKEN.fullmatch(report.one("token"))
        if found is None:
            raise _not_a_token(server)
        return JoinToken(found["id"], f"{found['pin']}::{SPENT}", found[0])

    async def revoke(self, server: Host, token: JoinToken) -> None:
        await server.change("k3s-token-delete", TOKEN_ID=token.token_id)

    async def enter(self, host: Host, token: JoinToken, member: Membership) -> None:
        await host.change("token-place", TOKEN=token.secret, TOKEN_ID=token.token_id, TOKEN_FILE=member.token_file)
        await host.change("unit-restart", UNIT=member.unit_name)

    async def wipe(self, host: Host, token: JoinToken, member: Membership) -> None:
        await host.change("token-wipe", SPENT=token.pin, TOKEN_ID=token.token_id, TOKEN_FILE=member.token_file)

    async def forget_identity(self, host: Host, member: Membership) -> None:
        await host.change("k3s-forget-identity", UNIT=member.unit_name)

    async def forget_node(self, server: Host, member: Membership) -> None:
        await server.change("k3s-forget-node", NODE=member.node_name, KUBECONFIG_PATH=self.kubeconfig_path)

    async def upgrade(self, host: Host, member: Membership) -> None:
        await host.change("unit-restart", UNIT=member.unit_name)

    async def withdraw(self, host: Host, member: Membership) -> None:
        """Do nothing: agents are no part of the control plane."""
        del host, member

    async def uninstall(self, host: Host, unit_name: str) -> None:
        await host.change("k3s-uninstall", timeout_seconds=UNINSTALL_SECONDS, UNIT=unit_name)

    async def forget_token(self, host: Host, member: Membership) -> None:
        await host.change("token-delete", TOKEN_FILE=member.token_file)


def _not_a_token(server: Host) -> CommandFailed:
    return CommandFailed(
        f"{server.address}: k3s-token-create",
        "`k3s token create` did not print a token with the cluster's CA in it",
        "A node could not tell the cluster from an impostor.",
        "Use a k3s release that has `k3s token create` (1.26.2 or later) on the server.",
    )

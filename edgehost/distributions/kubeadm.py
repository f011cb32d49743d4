"""kubeadm: tokens for one node, certificates for the control plane, one program that joins and resets."""

import json
import re
import secrets
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import urlsplit

import yaml

from edgehost.distributions.protocol import JoinToken, Membership
from edgehost.errors import CommandFailed, InputError
from edgehost.host import Host

TOKEN = re.compile(r"(?P<id>[a-z0-9]{6})\.[a-z0-9]{16}")
PIN = re.compile(r"sha256:[0-9a-f]{64}")
KUBELET_CONFIG = "/etc/kubernetes/kubelet.conf"
KUBELET_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem"
CERTIFICATE_KEY_BYTES = 32
JOIN_SECONDS = 300.0
RESET_SECONDS = 300.0
UPGRADE_SECONDS = 1200.0


class Kubeadm:
    """Let nodes in with tokens of a minute, and parts of the control plane with a key that lives as long."""

    token_seconds = 60
    kubeconfig_path = "/etc/kubernetes/admin.conf"

    def check(self, member: Membership) -> list[InputError]:
        return [] if member.settings and member.version else [_no_settings()]

    def identity_paths(self, member: Membership) -> Sequence[str]:
        return KUBELET_CONFIG, KUBELET_CERTIFICATE

    async def mint(self, server: Host, member: Membership) -> JoinToken:
        report = await server.change("kubeadm-token-create", NODE=member.node_name, TTL=f"{self.token_seconds}s")
        found = TOKEN.fullmatch(report.one("token"))
        pin = report.one("pin")
        if found is None or not PIN.fullmatch(pin):
            raise _not_a_token(server)
        return JoinToken(found["id"], pin, found[0], await self._certificate_key(server, member, found["id"]))

    async def _certificate_key(self, server: Host, member: Membership, token_id: str) -> str:
        """Have the control plane's certificates in the cluster, encrypted with a key that is in memory alone."""
        if not member.control_plane:
            return ""
        key = secrets.token_hex(CERTIFICATE_KEY_BYTES)
        await server.change(
            "kubeadm-certificates-lend",
            CONFIG=json_documents(
                {"kind": "InitConfiguration", "certificateKey": key},
                {"kind": "ClusterConfiguration", "kubernetesVersion": member.version},
            ),
            TOKEN_ID=token_id,
            KUBECONFIG_PATH=self.kubeconfig_path,
        )
        return key

    async def revoke(self, server: Host, token: JoinToken) -> None:
        await server.change("kubeadm-token-delete", TOKEN_ID=token.token_id, KUBECONFIG_PATH=self.kubeconfig_path)

    async def enter(self, host: Host, token: JoinToken, member: Membership) -> None:
        await host.change(
            "kubeadm-join",
            timeout_seconds=JOIN_SECONDS,
            CONFIG=join_configuration(member, token),
            VERSION=member.version,
            UNIT=member.unit_name,
        )

    async def wipe(self, host: Host, token: JoinToken, member: Membership) -> None:
        await host.change("kubeadm-token-wipe")

    async def forget_identity(self, host: Host, member: Membership) -> None:
        await host.change("kubeadm-reset", timeout_seconds=RESET_SECONDS, UNIT=member.unit_name)

    async def forget_node(self, server: Host, member: Membership) -> None:
        """Have etcd count no member that can never come back: its data is gone with its host, and its name is taken."""
        if member.control_plane:
            await server.change("kubeadm-etcd-forget", NODE=member.node_name)

    async def upgrade(self, host: Host, member: Membership) -> None:
        await host.change(
            "kubeadm-upgrade-node",
            timeout_seconds=UPGRADE_SECONDS,
            CONFIG=upgrade_configuration(member.settings, member.version),
            VERSION=member.version,
            UNIT=member.unit_name,
        )

    async def withdraw(self, host: Host, member: Membership) -> None:
        """Let etcd's other members know first: one that is gone without a word still counts for the majority."""
        if member.control_plane:
            await host.change("kubeadm-reset", timeout_seconds=RESET_SECONDS, UNIT=member.unit_name)

    async def uninstall(self, host: Host, unit_name: str) -> None:
        await host.change("kubeadm-reset", timeout_seconds=RESET_SECONDS, UNIT=unit_name)

    async def forget_token(self, host: Host, member: Membership) -> None:
        """Do nothing: a token of kubeadm has no place on a host."""
        del host, member


def join_configuration(member: Membership, token: JoinToken) -> str:
    """Return what `kubeadm join` reads: the membership's settings with the secrets of one join.

    The form is https://kubernetes.io/docs/reference/config-api/kubeadm-config.v1beta4/.
    """
    settings = cast(dict[str, Any], yaml.safe_load(member.settings))
    discovery = {
        "apiServerEndpoint": urlsplit(member.server_url).netloc,
        "token": token.secret,
        "caCertHashes": [token.pin],
    }
    joined = {**settings, "discovery": {"bootstrapToken": discovery}}
    if token.certificate_key:
        joined["controlPlane"] = {**settings.get("controlPlane", {}), "certificateKey": token.certificate_key}
    return json.dumps(joined)


def upgrade_configuration(settings: str, version: str) -> str:
    """Return what `kubeadm upgrade apply` and `kubeadm upgrade node` read.

    Args:
        settings: What kubeadm was told when the host became a node; images are pulled in the same way.
        version: The version to upgrade to.
    """
    pulls = {"imagePullPolicy": _pull_policy(settings)}
    apply = {
        "kubernetesVersion": version,
        "certificateRenewal": True,
        # A Job that must end within 15 s, the pull of its image included: only a warning on nodes that take longer.
        "ignorePreflightErrors": ["CreateJob"],
        **pulls,
    }
    return json_documents({"kind": "UpgradeConfiguration", "apply": apply, "node": pulls})


def _pull_policy(settings: str) -> str:
    documents = cast(list[dict[str, Any] | None], list(yaml.safe_load_all(settings)))
    registrations = [document.get("nodeRegistration", {}) for document in documents if document]
    return next((told["imagePullPolicy"] for told in registrations if "imagePullPolicy" in told), "IfNotPresent")


def json_documents(*documents: dict[str, Any]) -> str:
    """Return kubeadm's configuration objects as one text; JSON is YAML, and quotes everything."""
    version = {"apiVersion": "kubeadm.k8s.io/v1beta4"}
    return "\n---\n".join(json.dumps({**version, **document}) for document in documents)


def _not_a_token(server: Host) -> CommandFailed:
    return CommandFailed(
        f"{server.address}: kubeadm-token-create",
        "`kubeadm token create` did not print a token and the hash of the cluster's CA",
        "A node could not tell the cluster from an impostor.",
        f"See what `ssh {server.address.address} kubeadm token create --print-join-command --ttl 1s` says.",
    )


def _no_settings() -> InputError:
    return InputError(
        "settings",
        "there are no `settings` or no `version` for kubeadm",
        "`kubeadm join` is told by them how the host becomes a node.",
        "Give a JoinConfiguration without its discovery, and the version of Kubernetes.",
    )

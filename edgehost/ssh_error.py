"""The one place where asyncssh's exceptions become ours."""

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED

from edgehost.address import HostAddress
from edgehost.errors import (
    AccessError,
    HostKeyMismatch,
    HostKeyUnknown,
    KeyFileError,
    LoginRefused,
    NotRoot,
    TunnelError,
    Unreachable,
)
from edgehost.login import Login

NOTHING_DONE = "Nothing was sent to it and nothing was changed on it."


def translate_connect_error(host: HostAddress, login: Login, error: Exception, shown_key: str | None) -> AccessError:
    """Return our error for a failed attempt to connect.

    Args:
        host: The host that was tried.
        login: The login that was used.
        error: What asyncssh or the operating system raised.
        shown_key: The fingerprint that the host showed when its key was not accepted.
    """
    if isinstance(error, asyncssh.HostKeyNotVerifiable | asyncssh.KeyExchangeFailed):
        return host_key_refused(host, login, shown_key)
    if isinstance(error, asyncssh.PermissionDenied):
        return login_refused(host, login)
    if isinstance(error, asyncssh.KeyImportError):
        return unusable_key(login, error)
    return unreachable(host, login, error)


def host_key_refused(host: HostAddress, login: Login, shown_key: str | None) -> AccessError:
    """Say that the host's key is not the pinned one, or that none is pinned."""
    path = login.known_hosts_path()
    pinned = pinned_fingerprints(host, login)
    shown = shown_key or "a key of another kind"
    if not pinned:
        return HostKeyUnknown(
            f"{host}: host key",
            f"{path} pins no key for {host.address}; the host showed {shown}",
            NOTHING_DONE,
            f"Compare the fingerprint at the host (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), then run "
            f"`ssh-keyscan -p {login.port} {host.address} >> {path}`.",
        )
    return HostKeyMismatch(
        f"{host}: host key",
        f"the host showed {shown}, but {path} pins {', '.join(pinned)}",
        f"This may be another machine at the same address. {NOTHING_DONE}",
        f"If the host was installed anew, run `ssh-keygen -f {path} -R {host.address}` and pin its new key.",
    )


def pinned_fingerprints(host: HostAddress, login: Login) -> list[str]:
    """List the fingerprints that the known_hosts file pins for a host."""
    known = asyncssh.read_known_hosts(str(login.known_hosts_path()))
    keys = asyncssh.match_known_hosts(known, host.address, host.address, login.port)[0]
    return [key.get_fingerprint() for key in keys]


def login_refused(host: HostAddress, login: Login) -> LoginRefused:
    """Say that the host does not accept the key."""
    key = login.private_key_file or "any key of the SSH agent"
    return LoginRefused(
        f"{host}: login",
        f"the host does not accept {key} for user {login.user}",
        "Without a login nothing can be read or changed there.",
        f"Run `ssh-copy-id -i {login.private_key_file or 'KEY'} {login.user}@{host.address}`, "
        "or correct ssh > user and ssh > private-key-file.",
    )


def unusable_key(login: Login, error: Exception) -> KeyFileError:
    """Say that the private key cannot be loaded."""
    return KeyFileError(
        "ssh > private-key-file",
        f"{login.private_key_file} cannot be used as a private key ({error})",
        "No host can be entered without it.",
        "Name an unencrypted OpenSSH private key, or leave the setting out and load the key into the SSH agent "
        "(`ssh-add KEY`).",
    )


def unreachable(host: HostAddress, login: Login, error: Exception) -> Unreachable:
    """Say that the host does not answer."""
    reason = str(error) or f"no answer within {login.connect_timeout_seconds:g} seconds"
    return Unreachable(
        f"{host}: connect",
        f"the host does not answer on port {login.port} ({reason})",
        "Nothing can be read or changed there; what was known about it is kept.",
        f"Check its power and network, then try `ssh -p {login.port} {login.user}@{host.address}`.",
    )


def connection_lost(host: HostAddress, step: str, error: Exception) -> Unreachable:
    """Say that the connection broke during a step."""
    return Unreachable(
        f"{host}: {step}",
        f"the connection was lost ({error})",
        "The step may be half done; every step can be repeated safely.",
        "Check the host's power and network, then run `pulumi up` again.",
    )


def not_forwarded(host: HostAddress, target: str, error: asyncssh.ChannelOpenError) -> TunnelError:
    """Say that the host does not lead to a port."""
    if error.code == OPEN_ADMINISTRATIVELY_PROHIBITED:
        return TunnelError(
            f"{host}: tunnel",
            f"its SSH server does not forward to {target} ({error.reason})",
            "The API is reached through it alone, so nothing in the cluster can be read or changed.",
            "In /etc/ssh/sshd_config write `AllowTcpForwarding local`, let no PermitOpen forbid that address, and run "
            "`systemctl reload ssh`.",
        )
    return TunnelError(
        f"{host}: tunnel",
        f"nothing answers at {target}, asked from the host ({error.reason})",
        "Until the API runs nothing in the cluster can be read or changed.",
        f"Look at the cluster's service with `ssh {host.address}`, then try again.",
    )


def not_root(host: HostAddress, login: Login) -> NotRoot:
    """Say that the user may not act as root."""
    return NotRoot(
        f"{host}: login",
        f"user {login.user} is not root and `sudo -n` asks for a password or is missing",
        "Packages, units and kernel settings can only be changed by root. Nothing was changed.",
        f"On the host, run `echo '{login.user} ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/kubevc` as root, "
        "or set ssh > user to root.",
    )

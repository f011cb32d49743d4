"""How every host of a site is entered: one user, one key, one file of pinned host keys."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from edgehost.errors import KeyFileError, KnownHostsError

PRIVATE_KEY_VARIABLE = "EDGEHOST_PRIVATE_KEY_FILE"
KNOWN_HOSTS_VARIABLE = "EDGEHOST_KNOWN_HOSTS_FILE"


@dataclass(frozen=True, kw_only=True)
class Login:
    """Hold what is needed to enter a host.

    Attributes:
        user: The user to log in as; one who is not root must have sudo without a password.
        port: The TCP port of sshd.
        private_key_file: A private key; None asks the SSH agent.
        known_hosts_file: The pinned host keys; None means ~/.ssh/known_hosts.
        connect_timeout_seconds: How long a host may take to answer.
    """

    user: str = "root"
    port: int = 22
    private_key_file: str | None = None
    known_hosts_file: str | None = None
    connect_timeout_seconds: float = 10.0

    def with_environment(self, environment: Mapping[str, str] = os.environ) -> "Login":
        """Return this login with the files that the environment names instead.

        A stack keeps the paths of its last run; on another machine, where they do not exist, the variables
        EDGEHOST_PRIVATE_KEY_FILE and EDGEHOST_KNOWN_HOSTS_FILE name the right ones without changing the site.
        """
        return Login(
            user=self.user,
            port=self.port,
            private_key_file=environment.get(PRIVATE_KEY_VARIABLE) or self.private_key_file,
            known_hosts_file=environment.get(KNOWN_HOSTS_VARIABLE) or self.known_hosts_file,
            connect_timeout_seconds=self.connect_timeout_seconds,
        )

    def key_path(self) -> Path | None:
        """Return the private key's path, or None for the SSH agent.

        Raises:
            KeyFileError: The file is missing or cannot be read.
        """
        if self.private_key_file is None:
            return None
        path = Path(self.private_key_file).expanduser()
        if not os.access(path, os.R_OK):
            raise KeyFileError(
                "ssh > private-key-file",
                f"there is no readable file {path}",
                "No host can be entered without the private key.",
                f"Correct the path in the site's configuration, or set {PRIVATE_KEY_VARIABLE}.",
            )
        return path

    def known_hosts_path(self) -> Path:
        """Return the path of the pinned host keys.

        Raises:
            KnownHostsError: The file is missing or cannot be read.
        """
        path = Path(self.known_hosts_file or "~/.ssh/known_hosts").expanduser()
        if not os.access(path, os.R_OK):
            raise KnownHostsError(
                "ssh > known-hosts-file",
                f"there is no readable file {path}",
                "Without pinned host keys nobody can tell a host from an impostor, so no host is entered.",
                f"Create it with `ssh-keyscan ADDRESS >> {path}`, compare the fingerprints at the hosts, "
                f"or set {KNOWN_HOSTS_VARIABLE}.",
            )
        return path

"""Reach a lab's hosts over SSH, with the instance's key and its pinned host keys."""

import subprocess
from collections.abc import Sequence

from lab.host import Host
from lab.keys import Keys


def ssh_command(keys: Keys, host: Host, command: Sequence[str] = ()) -> list[str]:
    """Return the command line that opens a shell on a host, or runs a command there.

    A command of one word is given to the host's shell as it is; of more words, each is quoted by the caller.
    """
    options = [
        *("-i", str(keys.private_key_file), "-o", "IdentitiesOnly=yes", "-F", "/dev/null"),
        *("-o", f"UserKnownHostsFile={keys.known_hosts_file}", "-o", "StrictHostKeyChecking=yes"),
        *("-o", "ConnectTimeout=15"),
    ]
    batch = ["-o", "BatchMode=yes"] if command else []
    return ["ssh", *options, *batch, f"root@{host.plan.address}", *(["--", *command] if command else [])]


def ask(keys: Keys, host: Host, command: str, timeout_seconds: float = 30) -> subprocess.CompletedProcess[str]:
    """Run a shell command on a host and return how it ended and what it said."""
    return subprocess.run(
        ssh_command(keys, host, [command]),
        stdin=subprocess.DEVNULL,
        text=True,
        capture_output=True,
        timeout=timeout_seconds,
        check=False,
    )

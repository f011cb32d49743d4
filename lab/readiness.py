"""Wait until a host that was started can be worked with."""

import socket
import subprocess
import time

from lab import shell
from lab.errors import HostError
from lab.host import Host
from lab.keys import Keys

_BOOT_SECONDS = 60


def answers(host: Host, timeout_seconds: float = 1) -> bool:
    """Say whether an SSH server greets on the host's address."""
    try:
        with socket.create_connection((str(host.plan.address), 22), timeout_seconds) as connection:
            connection.settimeout(timeout_seconds)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def wait(host: Host, keys: Keys) -> None:
    """Wait until a host answers over SSH and systemd has nothing left to start.

    Raises:
        HostError: It ended, does not answer in time, or a unit of it failed.
    """
    deadline = time.monotonic() + _BOOT_SECONDS
    while not answers(host):
        if time.monotonic() > deadline:
            raise _silent(host, "does not answer on port 22")
        time.sleep(0.1)
    try:
        state = shell.ask(keys, host, "systemctl is-system-running --wait; systemctl --failed --plain --no-legend", 60)
    except subprocess.TimeoutExpired as error:
        raise _silent(host, "is still starting units after a minute") from error
    if state.stdout.split()[:1] != ["running"]:
        raise _silent(host, f"did not start whole: {' '.join((state.stdout + state.stderr).split())}")


def _silent(host: Host, found: str) -> HostError:
    log = host.plan.folder / "console.log"
    return HostError(
        f"host {host.plan.name} ({host.plan.address})",
        found,
        "nothing can be installed on it",
        f"read {log}, then: python -m lab pristine {host.plan.name}",
    )

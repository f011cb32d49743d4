"""Wait until a host that was started can be worked with."""

import socket
import subprocess
import time
from collections.abc import Collection

from lab import shell
from lab.errors import HostError
from lab.host import Host
from lab.keys import Keys

WHOLE = "running"
DEGRADED = "degraded"
"""What systemd says of a system with a unit that failed."""
_START_SECONDS = 5
"""Time after which the processes of a host that was started must be there."""


def answers(host: Host) -> bool:
    """Say whether an SSH server greets on the host's address."""
    try:
        with socket.create_connection((str(host.plan.address), 22), host.greeting_seconds) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def wait(host: Host, keys: Keys, accepted: Collection[str] = (WHOLE,)) -> None:
    """Wait until a host answers over SSH and systemd has nothing left to start.

    Args:
        host: The host.
        keys: How it is entered.
        accepted: What systemd may say of the whole system; by default that every unit started.

    Raises:
        HostError: It ended, does not answer in time, or systemd says something else.
    """
    start = time.monotonic()
    deadline = start + host.boot_seconds
    while not answers(host):
        if time.monotonic() > start + _START_SECONDS and not host.running():
            raise _silent(host, "went off while it booted")
        if time.monotonic() > deadline:
            raise _silent(host, "does not answer on port 22")
        time.sleep(0.1)
    state = _system_state(host, keys, deadline)
    said = state.stdout.split()
    if not said or said[0] not in accepted:
        raise _silent(host, f"did not start whole: {' '.join((state.stdout + state.stderr).split())}")


def _system_state(host: Host, keys: Keys, deadline: float) -> subprocess.CompletedProcess[str]:
    """Ask systemd, again as long as SSH itself fails: a busy machine may cut a first connection short."""
    question = "systemctl is-system-running --wait; systemctl --failed --plain --no-legend; true"
    while True:
        try:
            state = shell.ask(keys, host, question, max(deadline - time.monotonic(), 1))
        except subprocess.TimeoutExpired as error:
            raise _silent(host, f"is still starting units after {host.boot_seconds:g} s") from error
        if state.returncode == 0 or time.monotonic() > deadline:
            return state
        time.sleep(0.1)


def _silent(host: Host, found: str) -> HostError:
    log = host.plan.folder / "console.log"
    return HostError(
        f"host {host.plan.name} ({host.plan.address})",
        found,
        "nothing can be installed on it",
        f"read {log}, then: python -m lab pristine {host.plan.name}",
    )

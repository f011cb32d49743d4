"""Run an update or a preview; where the cluster's API stands still, let what leads to it go first.

python -m components.update EVENTS pulumi up ...        EVENTS: a file for the engine's event log

The Kubernetes plugin ends a run while it reads if the API does not answer. What brings the API back, such as a service
that somebody stopped or a server that was installed anew, is in the same stack and would never be reached.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from components.site import API_PORT

Engine = Callable[[Sequence[str]], int]

WAY_TO_THE_API = (
    "kubevc:fleet:Fleet",
    "kubevc:host:PreparedHost",
    "kubevc:cluster:Cluster",
    # A server that was installed anew has another certificate, which is known from its kubeconfig.
    "pulumi:providers:kubernetes",
)
"""Types of what is needed to reach the API; nothing under them is in the cluster."""
STANDS_STILL = "failed to read resource state due to unreachable cluster"
"""What the Kubernetes plugin says of every object while the API does not answer."""


def update(command: Sequence[str], events: Path, engine: Engine) -> int:
    """Run the engine, and if the cluster did not answer, for what leads to it and then for all; return the status.

    A preview cannot bring the API back: it ends with what leads there, and as a failure, because it did not see all.

    Args:
        command: `pulumi up` or `pulumi preview` with its options.
        events: Where the engine writes its event log.
        engine: Runs a command and returns its status.
    """
    status = _logged(command, events, engine)
    if status == 0 or not stood_still(events):
        return status
    _tell(
        "The cluster's API does not answer. Nothing has to be removed from the stack: what leads to the API goes first."
    )
    way = _logged([*command, *way_to_the_api()], events, engine)
    if way != 0:
        return way
    if "preview" in command:
        _tell("What is in the cluster was not compared: an update brings its API back first.")
        return status
    _tell("What leads to the cluster's API is as the site's file says. All of the site follows.")
    status = _logged(command, events, engine)
    if status != 0 and stood_still(events):
        _tell(
            f"The API answers on its own host and not to this machine. Let it through to the server's port {API_PORT}, "
            "or write `api-access: ssh` (docs/private-api.md)."
        )
    return status


def _logged(command: Sequence[str], events: Path, engine: Engine) -> int:
    events.parent.mkdir(parents=True, exist_ok=True)
    events.unlink(missing_ok=True)
    return engine([*command, "--event-log", str(events)])


def way_to_the_api() -> list[str]:
    """Return the options by which a run is of nothing but the hosts and what starts the cluster on them."""
    return [option for part in WAY_TO_THE_API for option in ("--target", f"**{part}**")]


def stood_still(events: Path) -> bool:
    """Return whether a run ended because the API did not answer."""
    return events.exists() and STANDS_STILL in events.read_text()


def _tell(what: str) -> None:
    print(f"\n{what}\n", file=sys.stderr, flush=True)


def _run(command: Sequence[str]) -> int:
    """Return the status of a command; Ctrl-C reaches it as well, so wait until it has ended, and end then."""
    interrupted = threading.Event()
    before = signal.signal(signal.SIGINT, lambda _signal, _frame: interrupted.set())
    try:
        status = subprocess.run(command, check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)
    if interrupted.is_set():
        raise SystemExit(status)
    return status


def main(arguments: list[str]) -> int:
    """Run the command line's engine; return its status."""
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    events, *command = arguments
    return update(command, Path(events), _run)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

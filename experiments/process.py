"""Processes that a measurement starts: on loopback, with a deadline for their start, gone afterwards."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

CHECKOUT = Path(__file__).resolve().parents[1]


class CommandFailed(Exception):
    """A command did not end as it should."""


class NotStarted(Exception):
    """A process ended, or did not listen in time."""


@contextmanager
def started(command: Sequence[str], *, prefix: Sequence[str] = (), **pipes: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command beside this one, from the checkout; end it afterwards, by force if it must be.

    Args:
        command: Program and arguments.
        prefix: What the command is run through, such as `ip netns exec NAME`.
        pipes: Further arguments of Popen.
    """
    process = subprocess.Popen([*prefix, *command], cwd=CHECKOUT, **pipes)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(command: Sequence[str], *, prefix: Sequence[str] = (), seconds: float = 120) -> str:
    """Run a command to its end from the checkout; return what it printed.

    Raises:
        CommandFailed: It ended with another status than 0; the text holds what it said.
    """
    words = " ".join([*prefix, *command])
    with started(command, prefix=prefix, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        said, errors = process.communicate(timeout=seconds)
    if process.returncode:
        raise CommandFailed(f"{words}\nended with {process.returncode} and said:\n{errors.decode()[-3000:]}")
    return said.decode()


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(process: subprocess.Popen[bytes], port: int, seconds: float = 60) -> None:
    """Wait until a process of this machine listens on a port of loopback.

    Raises:
        NotStarted: It ended, or the time is up.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NotStarted(f"{process.args}: ended with {process.poll()}, or was not ready within {seconds:g} s")


def read_line(process: subprocess.Popen[bytes]) -> bytes:
    """Return the next line of a process's output.

    Raises:
        NotStarted: It ended.
    """
    output: IO[bytes] | None = process.stdout
    line = output.readline() if output is not None else b""
    if not line:
        raise NotStarted(f"{process.args}: ended with {process.wait(timeout=20)} before it said what was waited for")
    return line

"""Run another program and say well what went wrong with it."""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence

from lab.errors import CommandError


def run(args: Sequence[str], *, why: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
    """Run a program to its end and return its standard output.

    Args:
        args: The program and its arguments.
        why: What the lab needs it for; becomes part of the message when it fails.
        env: Variables added to this process' environment.
        stdin: Text for its standard input.

    Raises:
        CommandError: It is not there, or it ended with another status than 0.
    """
    try:
        # Empty input, not the terminal's: a program that asks something must fail instead of waiting.
        done = subprocess.run(
            args, env={**os.environ, **(env or {})}, text=True, capture_output=True, input=stdin or "", check=False
        )
    except FileNotFoundError as error:
        raise CommandError(args[0], "this program is not installed", why, "python -m lab doctor") from error
    if done.returncode != 0:
        raise CommandError(shlex.join(args), _last_words(done), why, f"run it by hand: {shlex.join(args)}")
    return done.stdout


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-8:]
    return f"ended with status {done.returncode}: " + "\n    ".join(said)

"""Run another program as one step of making an image."""

import os
import subprocess
from collections.abc import Mapping, Sequence

from toolchain.images.errors import ImageError


def run(
    command: Sequence[str], error: type[ImageError], why: str, remedy: str, settings: Mapping[str, str] | None = None
) -> str:
    """Run a program and return its standard output.

    Args:
        command: Program and arguments.
        error: What to raise when it is missing or fails.
        why: What does not work without it.
        remedy: What a person can do about it.
        settings: Environment variables on top of our own.
    """
    try:
        return subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, **(settings or {})},
        ).stdout
    except FileNotFoundError as problem:
        raise error(command[0], "the program is not on PATH", why, remedy) from problem
    except subprocess.CalledProcessError as problem:
        said = (problem.stderr.strip() or problem.stdout.strip())[-800:]
        raise error(command[0], f"it failed with code {problem.returncode}: {said}", why, remedy) from problem

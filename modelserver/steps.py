"""Steps: how a signature can be run in parts, as `assets.extra/steps.json` of a version tells it.

The publisher writes that file for runtimes that compile every signature apart (docs/publisher.md has its form). The
weights stay in `serving_default`; small graphs without weights stand before and behind it, and JPEG files are decoded
by the server.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from modelserver.errors import DeadlineExceeded, InvalidArgument
from modelserver.tensors import Array

EXTRAS = "assets.extra"
FILE = "steps.json"
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: values go into it and come out of it by names that hold for the whole signature."""

    graph: str = ""
    """The folder of a small SavedModel below `assets.extra`; or else:"""
    signature: str = ""
    """A signature of the model itself; or else:"""
    decode: Mapping[str, Any] | None = None
    """What is done to JPEG files."""

    takes: Mapping[str, str]
    """For each input of the step the name of a value."""
    gives: Mapping[str, str]
    """For each output of the step the name of the value that it becomes."""


def read_steps(version_path: Path) -> dict[str, list[Step]]:
    """Return the steps of the signatures that have some; nothing where the version has no such file.

    Raises:
        InvalidArgument: the file is of another form.
    """
    file = version_path / EXTRAS / FILE
    try:
        content = orjson.loads(file.read_bytes())
        if content["format"] != FORMAT:
            raise InvalidArgument(f"{file} has format {content['format']}, and this server reads format {FORMAT}")
        return {name: [Step(**step) for step in steps] for name, steps in content["signatures"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidArgument(f"{file} cannot be read: {type(error).__name__}: {error}"[:300]) from error


class Runs(Protocol):
    """What can stand in a step."""

    def run(
        self, inputs: Mapping[str, Array], outputs: Sequence[str], timeout_seconds: float | None
    ) -> dict[str, Array]:
        """Compute `outputs` from `inputs`. Raises RequestError."""
        ...


class Chain:
    """A signature in steps."""

    def __init__(self, steps: Sequence[tuple[Step, Runs]]) -> None:
        """Take the steps with what runs them."""
        self._steps = steps

    def run(
        self, inputs: Mapping[str, Array], outputs: Sequence[str], timeout_seconds: float | None
    ) -> dict[str, Array]:
        """Run step after step in the time of all."""
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        values = dict(inputs)
        for step, runner in self._steps:
            taken = {name: values[value] for name, value in step.takes.items()}
            found = runner.run(taken, list(step.gives), _remaining(deadline))
            values |= {step.gives[name]: array for name, array in found.items()}
        return {name: values[name] for name in outputs}


def _remaining(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise DeadlineExceeded("The deadline passed between two steps of the signature")
    return seconds

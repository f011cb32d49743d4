"""The life of a command resource; where it runs is the business of `local.py` and `remote.py`."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from toolchain.command_provider.errors import CommandFailed
from toolchain.command_provider.properties import Inputs
from toolchain.command_provider.transcript import LineLog, Printed, Transcript

PREVIOUS = {"stdout": "PULUMI_COMMAND_STDOUT", "stderr": "PULUMI_COMMAND_STDERR"}
_NOT_HERE = "it is not part of the stand-in for the command plugin; use the official plugin"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One command that is to run."""

    command: str
    inputs: Inputs
    """All inputs of the resource."""
    previous: dict[str, str]
    """`PULUMI_COMMAND_STDOUT` and `PULUMI_COMMAND_STDERR` of the run before, if it printed something."""
    log: LineLog

    def transcript(self) -> Transcript:
        """Return a transcript that logs as the resource asks for."""
        return Transcript(self.log, self.inputs.get("logging", "stdoutAndStderr"))

    def failed(self, reason: str, output: str) -> CommandFailed:
        """Return the error with the command and all it printed, as the official plugin words it."""
        return CommandFailed(f"{reason}: running {json.dumps(self.command, ensure_ascii=False)}:\n{output}")


Runner = Callable[[Run], Awaitable[Printed]]


@dataclass(frozen=True, kw_only=True)
class Command:
    """A resource type that runs `create`, `update` and `delete` somewhere."""

    input_names: tuple[str, ...]
    required: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    run: Runner

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs that are not inputs."""
        return ("stdout", "stderr")

    def problems(self, inputs: Inputs) -> list[tuple[str, str]]:
        """Return what is wrong with the inputs: pairs of property and reason."""
        missing = [(name, "this property is required") for name in self.required if name not in inputs]
        return missing + [(name, _NOT_HERE) for name in self.refused if name in inputs]

    def observed(self, inputs: Inputs) -> Inputs:
        """Return what a diff must compare beside the inputs themselves: nothing."""
        return {}

    async def create(self, inputs: Inputs, log: LineLog) -> dict[str, str]:
        """Run `create`, if there is one."""
        return await self._run(inputs.get("create"), inputs, {}, log)

    async def update(self, olds: Inputs, inputs: Inputs, log: LineLog) -> dict[str, str]:
        """Run `update`, else `create`; without either the former output stays."""
        return await self._run(inputs.get("update", inputs.get("create")), inputs, olds, log)

    async def delete(self, olds: Inputs, log: LineLog) -> None:
        """Run `delete`, if there is one."""
        await self._run(olds.get("delete"), olds, olds, log)

    async def _run(self, command: Any, inputs: Inputs, olds: Inputs, log: LineLog) -> dict[str, str]:
        if command is None:
            return {name: olds.get(name, "") for name in self.outputs}
        previous = {variable: olds[name] for name, variable in PREVIOUS.items() if olds.get(name)}
        if not inputs.get("addPreviousOutputInEnv", True):
            previous = {}
        printed = await self.run(Run(command=command, inputs=inputs, previous=previous, log=log))
        return {"stdout": printed.stdout, "stderr": printed.stderr}

"""Run a command on another host over SSH."""

import asyncio
import signal
from typing import Any

import asyncssh

from toolchain.command_provider.command import Command, Run
from toolchain.command_provider.connection import Connection, dial
from toolchain.command_provider.errors import CommandFailed
from toolchain.command_provider.transcript import Printed


async def run(asked: Run) -> Printed:
    """Run it in a session of its own connection.

    Raises:
        CommandFailed: No connection, a variable that the server does not take, or another status than 0.
    """
    transcript = asked.transcript()
    environment: dict[str, str] = asked.inputs.get("environment", {})
    async with dial(Connection.from_inputs(asked.inputs["connection"]), asked.log) as connection:
        await _require(environment, connection)
        async with await _start(connection, asked.command, {**environment, **asked.previous}) as process:
            await asyncio.gather(
                transcript.follow("stdout", process.stdout),
                transcript.follow("stderr", process.stderr),
                _feed(process, asked.inputs.get("stdin")),
            )
            await process.wait_closed()
    if process.exit_status != 0:
        raise asked.failed(_reason(process), transcript.both)
    return transcript.printed


async def _start(
    connection: asyncssh.SSHClientConnection, command: str, environment: dict[str, str]
) -> "asyncssh.SSHClientProcess[bytes]":
    try:
        return await connection.create_process(command, env=environment, encoding=None)
    except asyncssh.Error as problem:
        raise CommandFailed(f"ssh: {problem.reason}") from problem


async def _require(environment: dict[str, str], connection: asyncssh.SSHClientConnection) -> None:
    """Refuse variables that the server drops.

    The library sends variables without asking whether they were taken, so another command looks.
    """
    for name, value in environment.items():
        look = f"printenv {name}" if name.isidentifier() else "false"
        seen = await connection.run(look, env={name: value}, stdin=asyncssh.DEVNULL)
        if seen.stdout != value + "\n":
            raise CommandFailed(f'could not set environment variable "{name}": ssh: setenv failed')


async def _feed(process: "asyncssh.SSHClientProcess[bytes]", stdin: str | None) -> None:
    try:
        if stdin:
            process.stdin.write(stdin.encode())
            await process.stdin.drain()
        process.stdin.write_eof()
    except (BrokenPipeError, ConnectionResetError):
        # A command need not read what it is given.
        pass


def _reason(process: "asyncssh.SSHClientProcess[bytes]") -> str:
    killed: Any = process.exit_signal
    if killed is not None:
        number = getattr(signal, f"SIG{killed[0]}", 0)
        return f"Process exited with status {128 + number} from signal {killed[0]}"
    if process.exit_status is None:
        return "wait: remote command exited without exit status or exit signal"
    return f"Process exited with status {process.exit_status}"


COMMAND = Command(
    input_names=(
        "connection",
        "create",
        "update",
        "delete",
        "triggers",
        "stdin",
        "environment",
        "logging",
        "addPreviousOutputInEnv",
    ),
    required=("connection",),
    run=run,
)

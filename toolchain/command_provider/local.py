"""Run a command on this machine."""

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process

from toolchain.command_provider.command import Command, Run
from toolchain.command_provider.transcript import Printed, Transcript


async def run(asked: Run) -> Printed:
    """Run it with its interpreter, folder, environment and standard input.

    Raises:
        CommandFailed: It cannot be started, or ends with another status than 0.
    """
    transcript = asked.transcript()
    process = await _start(asked)
    try:
        await _attend(process, asked.inputs.get("stdin"), transcript)
        status = await process.wait()
    finally:
        if process.returncode is None:
            # The shell's own children would go on, and hold its output open, without it.
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if status != 0:
        raise asked.failed(_reason(status), transcript.both)
    return transcript.printed


async def _start(asked: Run) -> Process:
    inputs = asked.inputs
    arguments = [*(inputs.get("interpreter") or ["/bin/sh", "-c"]), asked.command]
    environment = {**os.environ, **inputs.get("environment", {}), **asked.previous}
    stdin = PIPE if inputs.get("stdin") else DEVNULL
    try:
        return await asyncio.create_subprocess_exec(
            *arguments,
            cwd=inputs.get("dir"),
            env=environment,
            stdin=stdin,
            stdout=PIPE,
            stderr=PIPE,
            start_new_session=True,
        )
    except OSError as problem:
        name = problem.filename or arguments[0]
        raise asked.failed(f"{name}: {(problem.strerror or str(problem)).lower()}", "") from problem


async def _attend(process: Process, stdin: str | None, transcript: Transcript) -> None:
    assert process.stdout is not None
    assert process.stderr is not None
    await asyncio.gather(
        transcript.follow("stdout", process.stdout),
        transcript.follow("stderr", process.stderr),
        _feed(process, stdin),
    )


async def _feed(process: Process, stdin: str | None) -> None:
    if process.stdin is None:
        return
    try:
        process.stdin.write((stdin or "").encode())
        await process.stdin.drain()
        process.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        # A command need not read what it is given.
        pass


def _reason(status: int) -> str:
    return f"exit status {status}" if status > 0 else f"signal: {signal.strsignal(-status)}".lower()


COMMAND = Command(
    input_names=(
        "create",
        "update",
        "delete",
        "triggers",
        "stdin",
        "environment",
        "dir",
        "interpreter",
        "logging",
        "addPreviousOutputInEnv",
        "assetPaths",
        "archivePaths",
    ),
    refused=("assetPaths", "archivePaths"),
    run=run,
)

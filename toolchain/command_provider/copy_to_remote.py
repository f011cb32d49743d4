"""Copy a file or a folder to another host by SFTP; deleting the resource leaves the copy.

source | remote path is a folder | is absent | is a file
-------|-------------------------|-----------|----------
dir    | path/dir                | path/dir  | refused
dir/   | path/x for x in dir     | path/x    | refused
file   | path/file               | path      | replaced
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import asyncssh
import pulumi

from toolchain.command_provider.connection import Connection, dial
from toolchain.command_provider.errors import CommandFailed
from toolchain.command_provider.properties import Inputs, is_unknown
from toolchain.command_provider.transcript import LineLog

HASH = "sourceHash"


@dataclass(frozen=True)
class CopyToRemote:
    """The resource type `command:remote:CopyToRemote`."""

    input_names: tuple[str, ...] = ("connection", "source", "remotePath", "triggers")
    outputs: tuple[str, ...] = (HASH,)

    def problems(self, inputs: Inputs) -> list[tuple[str, str]]:
        """Return what is wrong with the inputs: pairs of property and reason."""
        required = ("connection", "source", "remotePath")
        missing = [(name, "this property is required") for name in required if name not in inputs]
        source: Any = inputs.get("source")
        if source is None or is_unknown(source) or isinstance(source, pulumi.FileAsset | pulumi.FileArchive):
            return missing
        if isinstance(source, pulumi.Archive):
            return [*missing, ("archive", "archive must be a path to a file or directory")]
        return [*missing, ("asset", "asset must be a path-based file asset")]

    def observed(self, inputs: Inputs) -> Inputs:
        """Return the hash of the source's content, so that a diff sees a change behind the same path."""
        source: Any = inputs["source"]
        return {} if is_unknown(source) else {HASH: _hash(Path(source.path))}

    async def create(self, inputs: Inputs, log: LineLog) -> dict[str, str]:
        """Copy."""
        await _copy(inputs, log)
        return {HASH: _hash(Path(inputs["source"].path))}

    async def update(self, olds: Inputs, inputs: Inputs, log: LineLog) -> dict[str, str]:
        """Copy again if the content or the remote path is another; a changed connection alone copies nothing."""
        now = _hash(Path(inputs["source"].path))
        if now != olds.get(HASH) or inputs["remotePath"] != olds.get("remotePath"):
            await _copy(inputs, log)
        return {HASH: now}

    async def delete(self, olds: Inputs, log: LineLog) -> None:
        """Leave the copy where it is."""


async def _copy(inputs: Inputs, log: LineLog) -> None:
    source: str = inputs["source"].path
    target = PurePosixPath(inputs["remotePath"])
    copy_it = _method(source)
    async with dial(Connection.from_inputs(inputs["connection"]), log) as connection:
        try:
            async with connection.start_sftp_client() as sftp:
                await copy_it(sftp, source, target)
        except (asyncssh.Error, OSError) as problem:
            raise CommandFailed(f"failed to copy {source} to remote path {target}: {problem}") from problem


def _method(source: str) -> Callable[[asyncssh.SFTPClient, str, PurePosixPath], Awaitable[None]]:
    return _copy_folder if Path(source).is_dir() else _copy_file


async def _copy_file(sftp: asyncssh.SFTPClient, source: str, target: PurePosixPath) -> None:
    if await sftp.isdir(str(target)):
        target /= Path(source).name
    await sftp.put(source, str(target))


async def _copy_folder(sftp: asyncssh.SFTPClient, source: str, target: PurePosixPath) -> None:
    await _make_folder(sftp, target)
    if not source.endswith("/"):
        target /= Path(source).name
        await _make_folder(sftp, target)
    for path, relative in _inside(source):
        if path.is_dir():
            await _make_folder(sftp, target / relative)
        else:
            await sftp.put(str(path), str(target / relative))


def _inside(folder: str) -> list[tuple[Path, str]]:
    return [(path, path.relative_to(folder).as_posix()) for path in sorted(Path(folder).rglob("*"))]


async def _make_folder(sftp: asyncssh.SFTPClient, folder: PurePosixPath) -> None:
    if not await sftp.exists(str(folder)):
        await sftp.mkdir(str(folder))
    elif not await sftp.isdir(str(folder)):
        raise CommandFailed(f"remote path {folder} exists but is not a directory")


def _hash(source: Path) -> str:
    """Return the SHA-256 over the paths and contents of a file or a folder."""
    digest = hashlib.sha256()
    for path in sorted(source.rglob("*")) if source.is_dir() else [source]:
        if path.is_file():
            digest.update(path.relative_to(source).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()

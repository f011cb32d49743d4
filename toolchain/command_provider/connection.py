"""Connect over SSH as the official plugin does: retries, one optional proxy, an optional pinned host key."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncssh

from toolchain.command_provider.errors import CommandFailed
from toolchain.command_provider.transcript import LineLog

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0
_GROWTH = 1.5


@dataclass(frozen=True, kw_only=True)
class Connection:
    """The input `connection`; its names are those of the official plugin."""

    host: str
    user: str = "root"
    port: int = 22
    password: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    private_key_password: str | None = field(default=None, repr=False)
    host_key: str | None = None
    """The only key to accept, as in a .pub file. Without it any key is accepted."""
    agent_socket_path: str | None = None
    dial_error_limit: int = 10
    """Failures to forgive; -1 forgives all."""
    per_dial_timeout_seconds: int = 15
    """0 means no limit."""
    proxy: "Connection | None" = None

    @classmethod
    def from_inputs(cls, inputs: dict[str, Any]) -> "Connection":
        """Read the input, with the defaults for what is not given."""
        names = {
            "privateKey": "private_key",
            "privateKeyPassword": "private_key_password",
            "hostKey": "host_key",
            "agentSocketPath": "agent_socket_path",
        }
        numbers = {
            "port": "port",
            "dialErrorLimit": "dial_error_limit",
            "perDialTimeout": "per_dial_timeout_seconds",
        }
        given = {key: value for key, value in inputs.items() if value is not None}
        fields: dict[str, Any] = {key: given[key] for key in ("host", "user", "password") if key in given}
        fields |= {field: given[key] for key, field in names.items() if key in given}
        fields |= {field: int(given[key]) for key, field in numbers.items() if key in given}
        if "proxy" in given:
            fields["proxy"] = cls.from_inputs(given["proxy"])
        return cls(**fields)


@asynccontextmanager
async def dial(connection: Connection, log: LineLog) -> AsyncGenerator[asyncssh.SSHClientConnection]:
    """Yield an open connection, through the proxy if there is one; close both afterwards.

    Raises:
        CommandFailed: More attempts failed than the limit forgives, or a key cannot be read.
    """
    if connection.proxy is None:
        async with await _dial(connection, None, "Dial", log) as opened:
            yield opened
        return
    try:
        proxy = await _dial(connection.proxy, None, "Dial proxy", log)
    except CommandFailed as problem:
        raise CommandFailed(f"proxy: {problem}") from problem
    async with proxy, await _dial(connection, proxy, "Dial from proxy", log) as opened:
        yield opened


async def _dial(
    connection: Connection, tunnel: asyncssh.SSHClientConnection | None, what: str, log: LineLog
) -> asyncssh.SSHClientConnection:
    options = _options(connection)
    failures, pause = 0, _FIRST_PAUSE_SECONDS
    while True:
        try:
            return await asyncssh.connect(connection.host, connection.port, tunnel=tunnel or (), **options)
        except (OSError, asyncssh.Error, TimeoutError) as problem:
            if 0 <= connection.dial_error_limit <= failures:
                raise CommandFailed(f"after {failures} failed attempts: {_words(connection, problem)}") from problem
        failures += 1
        limit = "inf" if connection.dial_error_limit < 0 else connection.dial_error_limit
        await log(f"{what} {failures}/{limit} failed: retrying")
        await asyncio.sleep(pause)
        pause = min(pause * _GROWTH, _LONGEST_PAUSE_SECONDS)


def _options(connection: Connection) -> dict[str, Any]:
    # config=None: what the user's ~/.ssh/config says is none of a resource's inputs.
    options: dict[str, Any] = {"username": connection.user, "config": None, "known_hosts": None, "client_keys": None}
    try:
        if connection.host_key is not None:
            options["known_hosts"] = ([asyncssh.import_public_key(connection.host_key)], [], [])
        if connection.private_key is not None:
            key = asyncssh.import_private_key(connection.private_key, connection.private_key_password)
            options["client_keys"] = [key]
    except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as problem:
        raise CommandFailed(f"ssh: the key cannot be read: {problem}") from problem
    options["password"] = connection.password
    options["agent_path"] = connection.agent_socket_path or os.environ.get("SSH_AUTH_SOCK")
    options["connect_timeout"] = connection.per_dial_timeout_seconds or None
    return options


def _words(connection: Connection, problem: BaseException) -> str:
    """Word a failure as the official plugin, whose SSH library is another, words it."""
    match problem:
        case asyncssh.HostKeyNotVerifiable():
            return "ssh: handshake failed: ssh: host key mismatch"
        case asyncssh.PermissionDenied():
            return "ssh: handshake failed: ssh: unable to authenticate, no supported methods remain"
        case asyncssh.Error():
            return f"ssh: handshake failed: {problem.reason}"
        case TimeoutError():
            return f"dial tcp {connection.host}:{connection.port}: i/o timeout"
        case OSError():
            reason = os.strerror(problem.errno) if problem.errno and problem.errno > 0 else str(problem)
            return f"dial tcp {connection.host}:{connection.port}: connect: {reason.lower()}"
        case _:
            return str(problem)

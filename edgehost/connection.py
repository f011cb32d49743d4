"""One pinned SSH connection to one host, opened when it is first needed and shared by all of the host's resources."""

import asyncio
import shlex
import time
from dataclasses import dataclass
from typing import IO, Any

import asyncssh

from edgehost.address import HostAddress
from edgehost.errors import AccessError, CommandTimedOut
from edgehost.login import Login
from edgehost.ssh_error import connection_lost, not_forwarded, not_root, translate_connect_error

# sshd allows ten sessions on one connection by default (MaxSessions); two stay free for a person's multiplexed shell.
SESSIONS_PER_HOST = 8
# A failed attempt is remembered so that twenty resources of a dead host wait for one timeout, not for twenty.
FAILURE_LIFE_SECONDS = 60.0
ROOT_PROBE = 'if [ "$(id -u)" = 0 ]; then echo root; elif sudo -n true 2>/dev/null; then echo sudo; else echo none; fi'


Stream = tuple[asyncssh.SSHReader[bytes], asyncssh.SSHWriter[bytes]]
"""What comes from the far end of a forwarded connection, and what goes to it."""


@dataclass(frozen=True)
class Completed:
    """Hold what a command on a host left behind."""

    exit_status: int
    stdout: str
    stderr: str


class _PinnedClient(asyncssh.SSHClient):
    """Remember the fingerprint of a key that is not pinned, and refuse it."""

    shown_key: str | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        self.shown_key = key.get_fingerprint()
        return False


class Connection:
    """Run commands as root on one host over one connection."""

    def __init__(self, host: HostAddress, login: Login) -> None:
        self.host = host
        self._login = login
        self._opening = asyncio.Lock()
        self._sessions = asyncio.Semaphore(SESSIONS_PER_HOST)
        self._connection: asyncssh.SSHClientConnection | None = None
        self._prefix: tuple[str, ...] = ()
        self._failure: AccessError | None = None
        self._failed_at = 0.0

    async def run(
        self, step: str, command: tuple[str, ...], stdin: str | bytes | IO[bytes], timeout_seconds: float
    ) -> Completed:
        """Run a command as root and return what it left behind, whatever its exit status.

        Args:
            step: What the command does, for messages.
            command: The command's words; they are quoted here and visible in the host's process list.
            stdin: What the command reads: text, bytes, or an open file that is streamed.
            timeout_seconds: After this time the command is given up.

        Raises:
            AccessError: The host cannot be entered, or the connection broke.
            CommandTimedOut: The command did not end in time.
        """
        connection = await self._open()
        line = shlex.join((*self._prefix, *command))
        async with self._sessions:
            try:
                async with asyncio.timeout(timeout_seconds):
                    return await self._execute(connection, line, stdin)
            except TimeoutError as error:
                raise self._timed_out(step, timeout_seconds) from error
            except (asyncssh.Error, OSError) as error:
                raise connection_lost(self.host, step, error) from error

    async def dial(self, address: str, port: int) -> Stream:
        """Connect from the host to a TCP port that it reaches.

        Raises:
            AccessError: The host cannot be entered, or the connection broke.
            TunnelError: The host's SSH server forwards nothing, or nothing answers at the port.
        """
        # The library does not say in its types that a stream without an encoding is one of bytes.
        connection: Any = await self._open()
        try:
            return await connection.open_connection(address, port, encoding=None)
        except asyncssh.ChannelOpenError as error:
            raise not_forwarded(self.host, f"{address}:{port}", error) from error
        except (asyncssh.Error, OSError) as error:
            raise connection_lost(self.host, "tunnel", error) from error

    async def enter(self) -> None:
        """Open the connection if it is not open yet.

        Raises:
            AccessError: The host cannot be entered.
        """
        await self._open()

    async def close(self) -> None:
        """Close the connection if there is one."""
        if self._connection is not None:
            self._connection.close()
            await self._connection.wait_closed()
            self._connection = None

    async def _execute(
        self, connection: asyncssh.SSHClientConnection, line: str, stdin: str | bytes | IO[bytes]
    ) -> Completed:
        if isinstance(stdin, str):
            stdin = stdin.encode()
        if isinstance(stdin, bytes):
            result = await connection.run(line, input=stdin, encoding=None)
        else:
            result = await connection.run(line, stdin=stdin, encoding=None)
        if result.exit_status is None:
            raise asyncssh.ConnectionLost("the command ended without an exit status")
        return Completed(result.exit_status, _text(result.stdout), _text(result.stderr))

    async def _open(self) -> asyncssh.SSHClientConnection:
        async with self._opening:
            if self._connection is not None and not self._connection.is_closed():
                return self._connection
            if self._failure is not None and time.monotonic() - self._failed_at < FAILURE_LIFE_SECONDS:
                raise self._failure
            try:
                self._connection = await self._connect_as_root()
            except AccessError as failure:
                self._failure, self._failed_at = failure, time.monotonic()
                raise
            return self._connection

    async def _connect_as_root(self) -> asyncssh.SSHClientConnection:
        connection = await self._connect()
        try:
            answer = await connection.run(ROOT_PROBE, timeout=self._login.connect_timeout_seconds + 10)
        except (asyncssh.Error, OSError, TimeoutError) as error:
            raise connection_lost(self.host, "login", error) from error
        rights = _text(answer.stdout).strip()
        if rights not in ("root", "sudo"):
            connection.close()
            raise not_root(self.host, self._login)
        self._prefix = ("sudo", "-n") if rights == "sudo" else ()
        return connection

    async def _connect(self) -> asyncssh.SSHClientConnection:
        login, client = self._login, _PinnedClient()
        key, known_hosts = login.key_path(), login.known_hosts_path()
        try:
            return await asyncssh.connect(
                self.host.address,
                login.port,
                username=login.user,
                client_factory=lambda: client,
                known_hosts=str(known_hosts),
                client_keys=[str(key)] if key else (),
                agent_path=None if key else (),
                config=None,
                connect_timeout=login.connect_timeout_seconds,
                login_timeout=login.connect_timeout_seconds + 10,
                keepalive_interval=15,
            )
        except (asyncssh.Error, asyncssh.KeyImportError, OSError, TimeoutError) as error:
            raise translate_connect_error(self.host, login, error, client.shown_key) from error

    def _timed_out(self, step: str, timeout_seconds: float) -> CommandTimedOut:
        return CommandTimedOut(
            f"{self.host}: {step}",
            f"it did not end within {timeout_seconds:g} seconds",
            "The step may be half done; every step can be repeated safely.",
            "Look at the host's load and disk, then run `pulumi up` again.",
        )


def _text(output: bytes | str | None) -> str:
    if isinstance(output, bytes):
        return output.decode(errors="replace")
    return output or ""

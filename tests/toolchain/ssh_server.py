"""A real SSH server on loopback that runs commands in a shell of this machine."""

import asyncio
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncssh


@dataclass
class SshServer:
    """Where it listens, what proves that it is it, and who may come in."""

    port: int
    host_key: str
    client_key: str
    connections: list[str]
    """One entry per connection that was made."""

    def connection(self, **changes: Any) -> dict[str, Any]:
        """Return the input `connection` for it."""
        return {
            "host": "127.0.0.1",
            "port": float(self.port),
            "user": "tester",
            "privateKey": self.client_key,
            "hostKey": self.host_key,
            "dialErrorLimit": 1.0,
            "perDialTimeout": 5.0,
        } | changes


class _Door(asyncssh.SSHServer):
    def __init__(self, connections: list[str]) -> None:
        self._connections = connections

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connections.append(str(conn.get_extra_info("peername")))

    def connection_requested(self, *_: Any) -> bool:
        return True


async def _feed(given: Any, taken: Any) -> None:
    taken.write(await given.read())
    taken.close()


@asynccontextmanager
async def ssh_server(*, accept_environment: bool = False) -> AsyncGenerator[SshServer]:
    """Run a server until the block ends.

    Args:
        accept_environment: Hand variables to the command. An sshd does this only for names in `AcceptEnv`.
    """

    async def run(process: Any) -> None:
        variables = dict(process.env) if accept_environment else {}
        shell: Any = await asyncio.create_subprocess_shell(
            process.command, env={"PATH": "/usr/bin:/bin", **variables}, stdin=PIPE, stdout=PIPE, stderr=PIPE
        )
        feeding = asyncio.create_task(_feed(process.stdin, shell.stdin))
        printed, complained = await asyncio.gather(shell.stdout.read(), shell.stderr.read())
        status = await shell.wait()
        feeding.cancel()
        process.stdout.write(printed)
        process.stderr.write(complained)
        if status < 0:
            process.exit_with_signal("KILL")
        else:
            process.exit(status)

    host, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    connections: list[str] = []
    server = await asyncssh.create_server(
        lambda: _Door(connections),
        "127.0.0.1",
        0,
        server_host_keys=[host],
        authorized_client_keys=asyncssh.import_authorized_keys(client.export_public_key().decode()),
        process_factory=run,
        sftp_factory=True,
        encoding=None,
    )
    try:
        yield SshServer(
            port=server.sockets[0].getsockname()[1],
            host_key=host.export_public_key().decode(),
            client_key=client.export_private_key().decode(),
            connections=connections,
        )
    finally:
        server.close()
        await server.wait_closed()

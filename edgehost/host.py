"""A host as its resources see it: read something, change something, send something."""

import asyncio
from collections import defaultdict
from typing import IO

from edgehost.address import HostAddress
from edgehost.connection import Completed, Connection, Stream
from edgehost.engine_log import EngineLog
from edgehost.errors import CommandFailed, StepError
from edgehost.journal import record_write
from edgehost.login import Login
from edgehost.refusals import disk_full, refuse
from edgehost.report import Report
from edgehost.script import compose, parse_refusal

READ_SECONDS = 60.0
# A small board that installs packages and checks artifacts at the same time is slow in everything else.
CHANGE_SECONDS = 300.0
TAIL_LINES = 15


class Host:
    """Run the provider's scripts on one host on behalf of one resource."""

    def __init__(self, site: "Hosts", connection: Connection, resource: str, locks: dict[str, asyncio.Lock]) -> None:
        self.address = connection.host
        self.log = site.log
        self._site = site
        self._connection = connection
        self._resource = resource
        self._locks = locks

    def lock(self, name: str) -> asyncio.Lock:
        """Return the host's lock of a name, for tools such as apt that run once at a time."""
        return self._locks[name]

    def peer(self, address: HostAddress) -> "Host":
        """Return another host on behalf of the same resource."""
        return self._site.at(address, self._resource)

    async def enter(self) -> None:
        """Open the connection if it is not open yet.

        Raises:
            AccessError: The host cannot be entered.
        """
        await self._connection.enter()

    async def read(self, script: str, /, timeout_seconds: float = READ_SECONDS, **values: str) -> Report:
        """Run a script that changes nothing and return what it reports."""
        return await self._run(script, values, timeout_seconds)

    async def change(self, script: str, /, timeout_seconds: float = CHANGE_SECONDS, **values: str) -> Report:
        """Run a script that may write, note it in the journal, and return what it reports."""
        record_write(self.address.name, self._resource, script)
        return await self._run(script, values, timeout_seconds)

    async def send(self, script: str, content: bytes | IO[bytes], /, timeout_seconds: float, **values: str) -> Report:
        """Run a script that writes what it reads from stdin; its values are visible in the host's process list."""
        record_write(self.address.name, self._resource, script)
        program = compose(script, values, keeps_stdin=True)
        completed = await self._connection.run(script, ("sh", "-c", program), content, timeout_seconds)
        return self._judge(script, completed)

    async def dial(self, address: str, port: int) -> Stream:
        """Connect from the host to a TCP port that it reaches.

        Raises:
            AccessError: The host cannot be entered, or the connection broke.
            TunnelError: The host's SSH server forwards nothing, or nothing answers at the port.
        """
        return await self._connection.dial(address, port)

    async def _run(self, script: str, values: dict[str, str], timeout_seconds: float) -> Report:
        program = compose(script, values)
        completed = await self._connection.run(script, ("sh", "-s"), program, timeout_seconds)
        return self._judge(script, completed)

    def _judge(self, script: str, completed: Completed) -> Report:
        if completed.exit_status == 0:
            return Report.parse(completed.stdout)
        refusal = parse_refusal(completed.stderr)
        raise refuse(self.address, script, *refusal) if refusal else self._failed(script, completed)

    def _failed(self, script: str, completed: Completed) -> StepError:
        # Programs in Go write it in lower case.
        if "no space left on device" in completed.stderr.lower():
            return disk_full(self.address, script)
        tail = "\n  ".join(completed.stderr.strip().splitlines()[-TAIL_LINES:])
        return CommandFailed(
            f"{self.address}: {script}",
            f"the step ended with status {completed.exit_status}" + (f":\n  {tail}\n " if tail else ""),
            "What it does can be repeated safely.",
            f"Look into it with `ssh {self.address.address}`, then run `pulumi up` again.",
        )


class Hosts:
    """Hold the one connection of every host of a site."""

    def __init__(self, login: Login, log: EngineLog) -> None:
        self.log = log
        self._login = login
        self._connections: dict[HostAddress, Connection] = {}
        self._locks: dict[str, dict[str, asyncio.Lock]] = defaultdict(lambda: defaultdict(asyncio.Lock))

    def at(self, address: HostAddress, resource: str) -> Host:
        """Return a host on behalf of a resource; it is entered when its first script runs.

        Args:
            address: The host.
            resource: The resource's URN, for the journal.
        """
        connection = self._connections.get(address)
        if connection is None:
            connection = self._connections[address] = Connection(address, self._login)
        return Host(self, connection, resource, self._locks[address.name])

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(connection.close() for connection in self._connections.values()))

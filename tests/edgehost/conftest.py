"""Fixtures of the provider's tests."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from edgehost.engine_log import EngineLog
from edgehost.host import Host, Hosts
from tests.edgehost.disposable_host import DisposableHost, SshServer, disposable_host, is_possible, ssh_server

URN = "urn:pulumi:test::kubevc::edgehost:index:File::it"


class SilentLog(EngineLog):
    """Keep the lines that would go to the engine."""

    def __init__(self) -> None:
        super().__init__("127.0.0.1:1")
        self.lines: list[str] = []

    async def _write(self, severity: int, text: str, *, ephemeral: bool) -> None:
        self.lines.append(text)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[DisposableHost]:
    """Return a host of its own for one test."""
    if os.geteuid() != 0 or not is_possible():
        pytest.skip("a disposable host needs root and namespaces")
    with disposable_host(tmp_path) as host:
        yield host


@pytest.fixture
async def server(machine: DisposableHost) -> AsyncIterator[SshServer]:
    """Return the SSH server in front of the host."""
    async with ssh_server(machine) as running:
        yield running


@pytest.fixture
def log() -> SilentLog:
    """Return a log whose lines a test can read."""
    return SilentLog()


@pytest.fixture
async def hosts(server: SshServer, log: SilentLog) -> AsyncIterator[Hosts]:
    """Return the provider's hosts with the pinned login."""
    pool = Hosts(server.login, log)
    yield pool
    await pool.close()


@pytest.fixture
def host(hosts: Hosts, server: SshServer) -> Host:
    """Return the host as a resource sees it."""
    return hosts.at(server.address, URN)

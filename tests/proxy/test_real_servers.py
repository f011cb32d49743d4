"""Processes of the project's own model server under load: killed, restarted, and given new versions."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.backend.backend import Backend
from proxy.errors import ProxyError
from tests.modelserver.conftest import models as models
from tests.modelserver.running import Client, Process, eventually, free_port
from tests.proxy.backends import ask, backend, call_of, context

CLIENTS = 8


class Servers:
    """Hold processes that serve the model `add`, each at a port of its own."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._processes: dict[int, Process] = {}

    @property
    def addresses(self) -> list[str]:
        """Return where they listen."""
        return [f"127.0.0.1:{port}" for port in self._processes]

    def start(self, port: int) -> None:
        """Start one, and wait until it has loaded the model."""
        flags = ("--model_name=add", f"--model_base_path={self._store}", "--file_system_poll_wait_seconds=0.05")
        self._processes[port] = Process(f"--port={port}", *flags)
        self._processes[port].port("gRPC")
        client = Client(port)
        eventually(lambda: client.available("add") != set())
        client.close()

    def end(self, port: int, signal_number: int) -> None:
        """End one."""
        self._processes[port].end(signal_number)

    def end_all(self) -> None:
        """End those that run."""
        for process in self._processes.values():
            process.end()


@pytest.fixture
def store(models: Path, tmp_path: Path) -> Path:
    """The model's folder, with version 1."""
    folder = tmp_path / "add"
    shutil.copytree(models / "add" / "1", folder / "1")
    return folder


@pytest.fixture
def servers(store: Path) -> Iterator[Servers]:
    """Servers of the model, none at first."""
    made = Servers(store)
    try:
        yield made
    finally:
        made.end_all()


class Load:
    """Hold what askers got."""

    def __init__(self) -> None:
        self.answers: Counter[int] = Counter()
        self.failures: list[str] = []

    async def ask_on(self, made: Backend) -> None:
        """Ask without a pause."""
        while True:
            try:
                await made.service.describe(context())
                self.answers[(await ask(made, call_of([[1, 2]]))).version] += 1
            except ProxyError as error:
                self.failures.append(error.found)

    async def more(self, count: int = 500) -> None:
        """Wait for so many more answers."""
        wanted = self.answers.total() + count
        await until(lambda: self.answers.total() >= wanted)


async def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for a condition that the load or another process brings about."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it happens in other processes
            await asyncio.sleep(0.01)


@asynccontextmanager
async def load_on(made: Backend, clients: int = CLIENTS) -> AsyncIterator[Load]:
    """Let clients ask while the test does something else."""
    load = Load()
    tasks = [asyncio.create_task(load.ask_on(made)) for _ in range(clients)]
    try:
        yield load
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert all(task.cancelled() for task in tasks)


async def connected(made: Backend) -> None:
    """Wait until both servers take calls."""
    replicas = made._channel.replicas
    async with asyncio.timeout(10):
        while replicas.ready_count < 2:
            await ask(made, call_of([[1, 2]]))


@pytest.mark.parametrize(("attempts", "batching"), [(1, False), (3, False), (3, True)])
async def test_of_two_servers_one_is_killed(servers: Servers, attempts: int, batching: bool) -> None:
    ports = [free_port(), free_port()]
    for port in ports:
        servers.start(port)
    settings: dict[str, Any] = {"retries": {"max-attempts": attempts}, "batching": {"enabled": batching}}
    async with backend("add", servers.addresses, **settings) as made:
        await connected(made)
        async with load_on(made) as load:
            await load.more()
            await asyncio.to_thread(servers.end, ports[0], signal.SIGKILL)
            await load.more()
    # Never repeated, only the calls under way to the killed server are lost: each client has one at most.
    assert len(load.failures) <= (CLIENTS if attempts == 1 else 0), load.failures


async def test_a_rolling_restart_loses_nothing(servers: Servers) -> None:
    ports = [free_port(), free_port()]
    for port in ports:
        servers.start(port)
    async with backend("add", servers.addresses) as made:
        await connected(made)
        async with load_on(made) as load:
            for port in ports:
                await load.more(200)
                await asyncio.to_thread(servers.end, port, signal.SIGTERM)
                await load.more(200)
                await asyncio.to_thread(servers.start, port)
                await connected(made)
    assert load.failures == []


async def test_fifty_new_versions_lose_nothing(servers: Servers, store: Path, models: Path) -> None:
    servers.start(free_port())
    async with backend("add", servers.addresses) as made, load_on(made, 4) as load:
        for version in range(2, 52):
            shutil.copytree(models / "add" / str(version % 3 + 1), store / ".part")
            (store / ".part").rename(store / str(version))
            await until(lambda version=version: version in load.answers, 10)
            shutil.rmtree(store / str(version - 1))
        # Answers of new versions have it asked for, though not more often than a few times a second.
        async with asyncio.timeout(5):
            while (await made.service.describe(context())).version != 51:
                await ask(made, call_of([[1, 2]]))
    assert load.failures == []
    assert set(load.answers) == set(range(1, 52))

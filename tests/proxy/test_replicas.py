"""Several servers of one model: how calls are spread, and what happens when one is lost, slow, empty or moved."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from proxy.backend.addresses import Server, parse_target
from proxy.backend.backend import Backend
from proxy.backend.call import Selector
from proxy.errors import BackendError
from tests.proxy.backends import Names, ask, backend, call_of
from tests.proxy.fake_server import FLOAT, Arrays, FakeModel, FakeServer, StatusError, serving

NO_BATCHES = {"batching": {"enabled": False}}


@contextmanager
def server_of(
    compute: Callable[[Arrays], Arrays], address: str = "127.0.0.1:0", version: int = 1
) -> Iterator[FakeServer]:
    """Run a server with one model, `m`."""
    vector = (FLOAT, [-1])
    with serving({"m": FakeModel({"x": vector}, {"y": vector}, compute, version)}, address) as server:
        yield server


def named(number: float) -> Callable[[Arrays], Arrays]:
    """Make a model that answers a number, by which the server is known."""
    return lambda _: {"y": np.float32([number])}


def failing(code: grpc.StatusCode) -> Callable[[Arrays], Arrays]:
    """Make a model that fails."""

    def fail(arrays: Arrays) -> Arrays:
        raise StatusError(code, "on purpose")

    return fail


@pytest.fixture
def pair() -> Iterator[tuple[FakeServer, FakeServer]]:
    """Two servers that answer 0 and 1."""
    with server_of(named(0)) as first, server_of(named(1)) as second:
        yield first, second


async def answers(made: Backend, count: int) -> Counter[float]:
    """Ask one after the other; return how often each server answered."""
    return Counter([float((await ask(made, call_of([1]))).outputs["y"][0]) for _ in range(count)])


async def connected(made: Backend, count: int = 2) -> None:
    """Wait until so many replicas take calls."""
    replicas = made._channel.replicas
    await ask(made, call_of([1]))
    async with asyncio.timeout(5):
        while replicas.ready_count < count:
            await ask(made, call_of([1]))


@pytest.mark.parametrize(
    ("target", "servers"),
    [
        ("model.serving.svc:8500", [("model.serving.svc", 8500)]),
        ("dns:///model.serving.svc:8500", [("model.serving.svc", 8500)]),
        ("10.0.0.1:8500, 10.0.0.2:8501", [("10.0.0.1", 8500), ("10.0.0.2", 8501)]),
        (["a:1", "[::1]:2"], [("a", 1), ("::1", 2)]),
        ("ipv4:10.0.0.1:8500", [("10.0.0.1", 8500)]),
    ],
)
def test_targets(target: Any, servers: list[tuple[str, int]]) -> None:
    assert parse_target(target) == tuple(Server(*server) for server in servers)


@pytest.mark.parametrize(
    "target", ["", "model", "model:", "model:0", "model:70000", "http://model:80", "a:1,,b:2", "::1:5"]
)
def test_what_is_no_target_is_refused_with_an_example(target: str) -> None:
    with pytest.raises(ValueError, match=r"is no target; write host:port or dns:///host:port"):
        parse_target(target)


@pytest.mark.parametrize("choice", ["least-outstanding", "round-robin"])
async def test_idle_replicas_take_turns(pair: tuple[FakeServer, FakeServer], choice: str) -> None:
    async with backend("m", [server.address for server in pair], choice=choice, **NO_BATCHES) as made:
        await connected(made)
        assert await answers(made, 20) == {0: 10, 1: 10}


async def test_a_replica_that_is_busy_gets_fewer_calls() -> None:
    gate = threading.Event()

    def wait(arrays: Arrays) -> Arrays:
        gate.wait(timeout=20)
        return {"y": np.float32([0])}

    with server_of(wait) as slow, server_of(named(1)) as quick:
        async with backend("m", [slow.address, quick.address], **NO_BATCHES) as made:
            waiting = [asyncio.create_task(ask(made, call_of([1]))) for _ in range(2)]
            await asyncio.sleep(0.5)
            assert made.outstanding == 1
            assert await answers(made, 20) == {1: 20}
            gate.set()
            await asyncio.gather(*waiting)


async def test_each_replica_has_as_many_connections_as_are_set(pair: tuple[FakeServer, FakeServer]) -> None:
    async with backend("m", pair[0].address, **{"channels-per-replica": 3}, **NO_BATCHES) as made:
        for _ in range(3):
            await asyncio.gather(*(ask(made, call_of([1])) for _ in range(6)))
        assert connections_to(pair[0].address) == 3


def connections_to(address: str) -> int:
    """Count the established TCP connections of this machine to an address."""
    port = f"{int(address.rpartition(':')[2]):04X}"
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    rows = [line.split() for table in tables for line in table.read_text().splitlines()[1:]]
    return sum(row[2].endswith(f":{port}") and row[3] == "01" for row in rows)


async def test_a_headless_service_is_followed() -> None:
    names = Names({"model": ["127.0.0.1"]})
    with server_of(named(1)) as first:
        port = first.address.rpartition(":")[2]
        async with backend("m", f"dns:///model:{port}", names, **{"resolve-seconds": 0.05}, **NO_BATCHES) as made:
            assert await answers(made, 3) == {1: 3}
            with server_of(named(2), f"127.0.0.2:{port}"):
                names.hosts["model"] = ["127.0.0.2", "127.0.0.1"]
                await asyncio.sleep(0.1)
                await connected(made)
                assert await answers(made, 10) == {1: 5, 2: 5}
                names.hosts["model"] = ["127.0.0.2"]
                await asyncio.sleep(0.1)
                await answers(made, 1)
                await asyncio.sleep(0.1)
                assert await answers(made, 10) == {2: 10}


async def test_a_resolver_that_fails_changes_nothing(pair: tuple[FakeServer, FakeServer]) -> None:
    names = Names({"model": ["127.0.0.1"]})
    port = pair[0].address.rpartition(":")[2]
    async with backend("m", f"model:{port}", names, **{"resolve-seconds": 0.02}, **NO_BATCHES) as made:
        assert await answers(made, 1) == {0: 1}
        for hosts in ({}, {"model": []}):
            names.hosts = hosts
            asked = names.asked
            await asyncio.sleep(0.05)
            assert await answers(made, 3) == {0: 3}
            assert names.asked > asked


async def test_a_name_that_leads_nowhere_is_a_503() -> None:
    async with backend("m", "model:8500", Names()) as made:
        with pytest.raises(BackendError, match=r"model server of 'm': UNAVAILABLE: the name 'model' cannot") as error:
            await ask(made, call_of([1]))
    assert error.value.status == 503


async def test_calls_of_a_lost_server_are_answered_by_another() -> None:
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(server_of(failing(grpc.StatusCode.UNAVAILABLE)))
        second = stack.enter_context(server_of(named(1)))
        async with backend("m", [first.address, second.address], **NO_BATCHES) as made:
            await connected(made)
            assert await answers(made, 100) == {1: 100}
    # The breaker is open after five failures, and lets one call try now and then.
    assert 5 <= len(first.request_ids) <= 20


@pytest.mark.parametrize(
    "code",
    [grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED],
)
async def test_an_error_about_the_request_is_neither_repeated_nor_held_against_the_server(
    code: grpc.StatusCode,
) -> None:
    with server_of(failing(code)) as server, server_of(failing(code)) as other:
        async with backend("m", [server.address, other.address], **NO_BATCHES) as made:
            await connected_despite(made)
            before = len(server.request_ids) + len(other.request_ids)
            for _ in range(20):
                with pytest.raises(BackendError):
                    await ask(made, call_of([1]))
            assert len(server.request_ids) + len(other.request_ids) == before + 20
            assert made._channel.replicas.ready_count == 2


async def connected_despite(made: Backend) -> None:
    """Wait until both replicas take calls, though each answers an error."""
    async with asyncio.timeout(5):
        while made._channel.replicas.ready_count < 2:
            with contextlib.suppress(BackendError):
                await ask(made, call_of([1]))


async def test_a_call_that_ran_out_of_time_is_not_repeated() -> None:
    gate = threading.Event()

    def wait(arrays: Arrays) -> Arrays:
        gate.wait(timeout=20)
        return arrays

    with server_of(wait) as server:
        async with backend("m", server.address, **NO_BATCHES) as made:
            with pytest.raises(BackendError, match="DEADLINE_EXCEEDED") as error:
                await ask(made, call_of([1]), seconds=0.3)
            assert error.value.status == 504
            gate.set()
        assert len(server.request_ids) == 1


async def test_repeats_end_with_their_budget() -> None:
    retries = {"budget-ratio": 0, "budget-burst": 3, "budget-floor-per-second": 0, "backoff-seconds": 0}
    with server_of(failing(grpc.StatusCode.UNAVAILABLE)) as server:
        async with backend("m", server.address, retries=retries, **NO_BATCHES) as made:
            for _ in range(10):
                with pytest.raises(BackendError, match="UNAVAILABLE: on purpose"):
                    await ask(made, call_of([1]))
        assert len(server.request_ids) == 10 + 3


async def test_a_replica_that_has_not_loaded_the_model_yet_fails_nobody() -> None:
    with serving({}) as loading, server_of(named(1)) as ready:
        async with backend("m", [loading.address, ready.address], **NO_BATCHES) as made:
            await connected(made, 1)
            assert await answers(made, 50) == {1: 50}


async def test_a_version_that_a_sender_names_is_looked_for_once(pair: tuple[FakeServer, FakeServer]) -> None:
    code = grpc.StatusCode.NOT_FOUND
    with server_of(failing(code)) as one, server_of(failing(code)) as other:
        async with backend("m", [one.address, other.address], **NO_BATCHES) as made:
            with pytest.raises(BackendError) as error:
                await ask(made, call_of([1], selector=Selector(version=7)))
            assert error.value.status == 404
        assert len(one.request_ids) + len(other.request_ids) == 1


async def test_a_node_without_power_is_found_out() -> None:
    """A relay that goes silent is what a node without power looks like: nothing comes, not even a goodbye."""
    settings = {"keepalive-seconds": 0.3, "keepalive-timeout-seconds": 0.3, **NO_BATCHES}
    with server_of(named(0)) as first, server_of(named(1)) as second, Relay(first.address) as relay:
        async with backend("m", [relay.address, second.address], **settings) as made:
            await connected(made)
            assert await answers(made, 10) == {0: 5, 1: 5}
            relay.silent = True
            start = time.monotonic()
            assert await answers(made, 20) == {1: 20}
            assert time.monotonic() - start < 8


class Relay:
    """Pass bytes between a client and a server until it goes silent."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.silent = False
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Relay:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        for each in self._sockets:
            each.close()

    def _accept(self) -> None:
        host, _, port = self._target.rpartition(":")
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                if self.silent:
                    continue
                server = socket.create_connection((host, int(port)))
                self._sockets.append(server)
                for ends in ((client, server), (server, client)):
                    thread = threading.Thread(target=self._pass, args=ends)
                    self._threads.append(thread)
                    thread.start()

    def _pass(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not self.silent:
                    sink.sendall(data)

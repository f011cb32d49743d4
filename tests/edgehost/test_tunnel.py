"""The way to a cluster's API through a host's SSH server: what comes through, what is said where nothing does."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import ConfigureRequest

from edgehost import adapter
from edgehost.errors import TunnelError
from edgehost.host import Host, Hosts
from edgehost.login import Login
from edgehost.provider import EdgehostProvider
from edgehost.resources import RESOURCES
from edgehost.route import Route
from edgehost.tunnel import Tunnel
from tests.edgehost.conftest import URN, SilentLog
from tests.edgehost.disposable_host import DisposableHost, SshServer

ROOT = Path(__file__).resolve().parents[2]
LOCAL_ADDRESS = "127.77.1.1"
LARGE = os.urandom(3_000_000)


@contextlib.asynccontextmanager
async def far_end() -> AsyncGenerator[int, None]:
    """Serve a port that says everything back until its client has said all; return the port."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read())
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
async def target() -> AsyncIterator[int]:
    """Return the port that stands for the API."""
    async with far_end() as port:
        yield port


def free_port(address: str = LOCAL_ADDRESS) -> int:
    """Return a port that nobody has at an address."""
    with socket.socket() as trial:
        trial.bind((address, 0))
        return trial.getsockname()[1]


@pytest.fixture
def route(server: SshServer, target: int) -> Route:
    """Return a way to the target."""
    return Route(
        local_address=LOCAL_ADDRESS,
        local_port=free_port(),
        host=server.address,
        target_address="127.0.0.1",
        target_port=target,
    )


async def ask(route: Route, content: bytes = b"hello") -> bytes:
    """Return what comes back for a content."""
    async with asyncio.timeout(20):
        reader, writer = await asyncio.open_connection(route.local_address, route.local_port)
        writer.write(content)
        writer.write_eof()
        answer = await reader.read()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    return answer


@contextlib.asynccontextmanager
async def opened(route: Route, host: Host) -> AsyncGenerator[Tunnel, None]:
    """Open a tunnel for a while."""
    tunnel = Tunnel(route, host)
    await tunnel.open()
    try:
        yield tunnel
    finally:
        await tunnel.close()


async def test_everything_comes_through_over_the_hosts_one_connection(
    route: Route, host: Host, machine: DisposableHost
) -> None:
    async with opened(route, host):
        await host.read("facts")
        answers = await asyncio.gather(*(ask(route, LARGE) for _ in range(4)))
    assert set(answers) == {LARGE}
    assert sum("id -u" in call for call in machine.calls) == 1


async def test_the_host_is_entered_when_somebody_connects(route: Route, host: Host, machine: DisposableHost) -> None:
    async with opened(route, host):
        assert machine.calls == []
        await ask(route)
    assert len(machine.calls) == 1


async def test_a_tunnel_that_is_closed_leaves_nothing(route: Route, host: Host) -> None:
    async with opened(route, host):
        reader, writer = await asyncio.open_connection(route.local_address, route.local_port)
        writer.write(b"hello")
        await asyncio.sleep(0.2)
    with contextlib.suppress(ConnectionError):
        assert await reader.read() == b""
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(route.local_address, route.local_port)
    assert [task for task in asyncio.all_tasks() if "Tunnel" in repr(task)] == []


async def test_two_sites_at_once_do_not_meet(route: Route, host: Host) -> None:
    async with far_end() as other_target:
        other = replace(route, local_address="127.77.1.2", target_port=other_target)
        async with opened(route, host), opened(other, host):
            assert await asyncio.gather(ask(route, b"one"), ask(other, b"two")) == [b"one", b"two"]


async def test_the_same_site_twice_shares_the_address(route: Route, host: Host, hosts: Hosts) -> None:
    async with opened(route, host):
        async with opened(route, host):
            assert {await ask(route) for _ in range(20)} == {b"hello"}
        assert {await ask(route) for _ in range(20)} == {b"hello"}


async def test_an_address_that_another_program_has_is_told(route: Route, host: Host) -> None:
    with socket.socket() as other:
        other.bind((route.local_address, route.local_port))
        other.listen()
        with pytest.raises(TunnelError) as caught:
            await Tunnel(route, host).open()
    assert str(caught.value) == (
        f"tunnel to the API by edge1 (127.0.0.1): 127.77.1.1:{route.local_port}: "
        "another program has this address, or another user's tunnel to the same API. "
        "Without the tunnel nothing in the cluster can be read or changed. "
        f"Run `ss -ltnp 'src 127.77.1.1:{route.local_port}'` as root to see who, and end it."
    )


async def test_an_address_that_this_machine_lacks_is_told(route: Route, host: Host) -> None:
    with pytest.raises(TunnelError) as caught:
        await Tunnel(replace(route, local_address="192.0.2.1"), host).open()
    assert "this machine does not have this address" in str(caught.value)
    assert "`sudo ifconfig lo0 alias 192.0.2.1`" in str(caught.value)


async def test_an_api_that_does_not_answer_is_told_once(route: Route, host: Host, log: SilentLog) -> None:
    async with opened(replace(route, target_port=1), host):
        assert [await ask(route) for _ in range(3)] == [b"", b"", b""]
    (line,) = log.lines
    assert line.startswith("edge1 (127.0.0.1): tunnel: nothing answers at 127.0.0.1:1, asked from the host (")
    assert "Until the API runs nothing in the cluster can be read or changed." in line
    assert "`ssh 127.0.0.1`" in line


async def test_a_host_that_forwards_nothing_is_told(
    route: Route, host: Host, machine: DisposableHost, log: SilentLog
) -> None:
    machine.forwards = False
    async with opened(route, host):
        assert await ask(route) == b""
    (line,) = log.lines
    assert line == (
        f"edge1 (127.0.0.1): tunnel: its SSH server does not forward to 127.0.0.1:{route.target_port} (open failed). "
        "The API is reached through it alone, so nothing in the cluster can be read or changed. "
        "In /etc/ssh/sshd_config write `AllowTcpForwarding local`, let no PermitOpen forbid that address, and run "
        "`systemctl reload ssh`."
    )


async def test_a_host_that_is_not_there_is_told(route: Route, server: SshServer, log: SilentLog) -> None:
    hosts = Hosts(replace(server.login, port=1), log)
    async with opened(route, hosts.at(route.host, URN)):
        assert await ask(route) == b""
    assert "edge1 (127.0.0.1): connect: the host does not answer on port 1" in log.lines[0]
    await hosts.close()


def properties(login: Login, route: Route) -> dict[str, PropertyValue]:
    """Return the provider's configuration as the engine sends it."""
    return adapter.dump(login) | {"tunnel": adapter.to_property(route)}


async def test_the_provider_opens_it_when_configured_and_closes_it_when_done(
    route: Route, server: SshServer, log: SilentLog
) -> None:
    provider = EdgehostProvider(RESOURCES, log)
    await provider.configure(ConfigureRequest({}, properties(server.login, route), True, True))
    assert await ask(route) == b"hello"
    await provider.cancel()
    with pytest.raises(ConnectionRefusedError):
        await ask(route)


HOLD = """
import json, sys
from edgehost.address import HostAddress
from edgehost.client.tunnel import hold
from edgehost.login import Login
from edgehost.route import Route

route, login = json.loads(sys.argv[1])
host = HostAddress(**route.pop("host"))
hold(Route(host=host, **route), Login(**login), lambda: print("open", flush=True))
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
async def test_a_person_holds_it_open_until_asked_to_end(route: Route, server: SshServer, ending: int) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        HOLD,
        json.dumps([asdict(route), asdict(server.login)]),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout
    assert await asyncio.wait_for(process.stdout.readline(), 30) == b"open\n"
    assert await ask(route) == b"hello"
    process.send_signal(ending)
    out, error = await asyncio.wait_for(process.communicate(), 30)
    assert (process.returncode, out, error) == (0, b"", b"")


def test_a_provider_whose_engine_was_killed_ends_too() -> None:
    plugin = ROOT / "edgehost" / "pulumi-resource-edgehost"
    start = f"{sys.executable} {plugin} 127.0.0.1:1 & echo $!; wait"
    with subprocess.Popen(["sh", "-c", start], stdout=subprocess.PIPE) as engine:
        assert engine.stdout
        process = int(engine.stdout.readline())
        # Its port: it serves.
        assert int(engine.stdout.readline()) > 0
        engine.kill()
    for _ in range(100):
        if not is_running(process):
            return
        time.sleep(0.1)
    os.kill(process, signal.SIGKILL)
    pytest.fail("the provider outlived its engine by ten seconds")


def is_running(process: int) -> bool:
    """Return whether a process has not ended; nobody may have noticed that it has."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

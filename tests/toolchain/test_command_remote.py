"""`command:remote:Command` and `command:remote:CopyToRemote` of the stand-in, against an SSH server on loopback."""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import asyncssh
import grpc.aio
import pytest
import pytest_asyncio

from tests.toolchain.command_plugin import Plugin, asset, command_plugin, secret
from tests.toolchain.ssh_server import SshServer, ssh_server

REMOTE = "command:remote:Command"
COPY = "command:remote:CopyToRemote"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process() -> AsyncGenerator[Plugin]:
    async with command_plugin() as running:
        yield running


@pytest.fixture
def plugin(process: Plugin) -> Plugin:
    process.lines.clear()
    return process


@pytest_asyncio.fixture(loop_scope="module")
async def host() -> AsyncGenerator[SshServer]:
    async with ssh_server() as server:
        yield server


async def failure(awaited: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await awaited
    return failed.value.details() or ""


async def test_create_runs_on_the_host_with_its_input(plugin: Plugin, host: SshServer) -> None:
    inputs = {"connection": secret(host.connection()), "create": "cat; echo there; echo err >&2", "stdin": "given "}
    outputs = await plugin.create(REMOTE, inputs)
    assert (outputs["stdout"], outputs["stderr"]) == ("given there", "err")
    assert outputs["connection"] == secret(host.connection())
    assert sorted(plugin.lines) == ["err", "given there"]


async def test_a_failure_names_the_command_and_all_it_printed(plugin: Plugin, host: SshServer) -> None:
    inputs = {"connection": host.connection(), "create": "echo out; exit 3", "stdin": "s3cret"}
    assert await failure(plugin.create(REMOTE, inputs)) == (
        'Process exited with status 3: running "echo out; exit 3":\nout\n'
    )


async def test_a_killed_command_names_the_signal(plugin: Plugin, host: SshServer) -> None:
    text = await failure(plugin.create(REMOTE, {"connection": host.connection(), "create": "kill -9 $$"}))
    assert text == 'Process exited with status 137 from signal KILL: running "kill -9 $$":\n'


async def test_another_host_key_is_refused_and_nothing_runs(plugin: Plugin, host: SshServer, tmp_path: Path) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    inputs = {
        "connection": host.connection(hostKey=other, dialErrorLimit=2.0),
        "create": f"touch {tmp_path}/ran",
    }
    text = await failure(plugin.create(REMOTE, inputs))
    assert text == "after 2 failed attempts: ssh: handshake failed: ssh: host key mismatch"
    assert plugin.lines == ["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]
    assert len(host.connections) == 3
    assert not (tmp_path / "ran").exists()


async def test_a_key_that_the_host_does_not_know_is_refused(plugin: Plugin, host: SshServer) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    inputs = {"connection": host.connection(privateKey=other), "create": "true"}
    assert await failure(plugin.create(REMOTE, inputs)) == (
        "after 1 failed attempts: ssh: handshake failed: ssh: unable to authenticate, no supported methods remain"
    )


async def test_a_text_that_is_no_key_is_said_without_a_connection(plugin: Plugin, host: SshServer) -> None:
    text = await failure(plugin.create(REMOTE, {"connection": host.connection(privateKey="no key"), "create": "true"}))
    assert text.startswith("ssh: the key cannot be read: ")
    assert "no key" not in text
    assert host.connections == []


async def test_a_host_that_does_not_answer_is_named(plugin: Plugin, host: SshServer) -> None:
    inputs = {"connection": host.connection(port=1.0, dialErrorLimit=0.0), "create": "true"}
    assert await failure(plugin.create(REMOTE, inputs)) == (
        "after 0 failed attempts: dial tcp 127.0.0.1:1: connect: connection refused"
    )


async def test_variables_that_the_server_drops_are_an_error(plugin: Plugin, host: SshServer, tmp_path: Path) -> None:
    inputs = {"connection": host.connection(), "create": f"touch {tmp_path}/ran", "environment": {"A": "1"}}
    assert await failure(plugin.create(REMOTE, inputs)) == 'could not set environment variable "A": ssh: setenv failed'
    assert not (tmp_path / "ran").exists()


async def test_variables_reach_the_command_where_the_server_takes_them(plugin: Plugin) -> None:
    async with ssh_server(accept_environment=True) as host:
        inputs = {
            "connection": host.connection(),
            "create": "echo $A-$PULUMI_COMMAND_STDOUT",
            "environment": {"A": "1"},
        }
        olds = await plugin.create(REMOTE, inputs)
        assert olds["stdout"] == "1-"
        assert (await plugin.update(REMOTE, olds, inputs))["stdout"] == "1-1-"


async def test_the_life_of_a_command(plugin: Plugin, host: SshServer, tmp_path: Path) -> None:
    inputs = {"connection": host.connection(), "create": "echo made", "delete": f"touch {tmp_path}/gone"}
    olds = await plugin.create(REMOTE, inputs)
    assert await plugin.diff(REMOTE, olds, inputs) == ([], [])
    changed = {**inputs, "connection": host.connection(user="other")}
    assert await plugin.diff(REMOTE, olds, changed) == (["connection"], [])
    assert await plugin.diff(REMOTE, olds, {**inputs, "triggers": ["1"]}) == (["triggers"], ["triggers"])
    assert (await plugin.update(REMOTE, olds, {**inputs, "update": "echo new"}))["stdout"] == "new"
    await plugin.delete(REMOTE, olds)
    assert (tmp_path / "gone").exists()


async def test_the_way_through_a_proxy(plugin: Plugin, host: SshServer) -> None:
    async with ssh_server() as inner:
        inputs = {"connection": inner.connection(proxy=host.connection()), "create": "echo through"}
        assert (await plugin.create(REMOTE, inputs))["stdout"] == "through"
        assert len(host.connections) == len(inner.connections) == 1


async def test_a_command_without_a_connection_is_refused(plugin: Plugin) -> None:
    assert await plugin.check(REMOTE, {"create": "true"}) == [("connection", "this property is required")]


def copying(host: SshServer, source: Path | str, target: Path) -> dict[str, Any]:
    return {"connection": host.connection(), "source": asset(source), "remotePath": str(target)}


async def test_a_file_is_copied_to_a_path_or_into_a_folder(plugin: Plugin, host: SshServer, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    (tmp_path / "folder").mkdir()
    await plugin.create(COPY, copying(host, tmp_path / "file", tmp_path / "other"))
    await plugin.create(COPY, copying(host, tmp_path / "file", tmp_path / "folder"))
    assert (tmp_path / "other").read_text() == (tmp_path / "folder" / "file").read_text() == "content"


@pytest.mark.parametrize(("slash", "place"), [("", "target/source"), ("/", "target")])
async def test_a_folder_is_copied_with_or_without_its_name(
    plugin: Plugin, host: SshServer, tmp_path: Path, slash: str, place: str
) -> None:
    (tmp_path / "source" / "deep").mkdir(parents=True)
    (tmp_path / "source" / "deep" / "file").write_text("content")
    await plugin.create(COPY, copying(host, f"{tmp_path}/source{slash}", tmp_path / "target"))
    assert (tmp_path / place / "deep" / "file").read_text() == "content"


async def test_changed_content_is_copied_again_a_changed_connection_is_not(
    plugin: Plugin, host: SshServer, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("one")
    inputs = copying(host, tmp_path / "file", tmp_path / "copy")
    olds = await plugin.create(COPY, inputs)
    assert await plugin.diff(COPY, olds, inputs) == ([], [])
    (tmp_path / "copy").unlink()
    await plugin.update(COPY, olds, {**inputs, "connection": host.connection(user="other")})
    assert not (tmp_path / "copy").exists()
    (tmp_path / "file").write_text("two")
    assert await plugin.diff(COPY, olds, inputs) == (["sourceHash"], [])
    await plugin.update(COPY, olds, inputs)
    assert (tmp_path / "copy").read_text() == "two"
    await plugin.delete(COPY, olds)
    assert (tmp_path / "copy").exists()


async def test_a_folder_over_a_file_is_refused(plugin: Plugin, host: SshServer, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "target").touch()
    text = await failure(plugin.create(COPY, copying(host, tmp_path / "source", tmp_path / "target")))
    assert text == f"remote path {tmp_path}/target exists but is not a directory"

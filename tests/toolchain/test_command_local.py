"""`command:local:Command` of the stand-in, over gRPC."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import grpc.aio
import pytest
import pytest_asyncio
from pulumi.runtime import rpc

from tests.toolchain.command_plugin import EXECUTABLE, Plugin, command_plugin, secret, unmarked

LOCAL = "command:local:Command"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def process() -> AsyncGenerator[Plugin]:
    async with command_plugin() as running:
        yield running


@pytest.fixture
def plugin(process: Plugin) -> Plugin:
    process.lines.clear()
    return process


async def failure(awaited: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await awaited
    return failed.value.details() or ""


async def test_it_says_what_it_is() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, EXECUTABLE, "127.0.0.1:1", stdout=PIPE, stderr=PIPE)
    assert process.stdout is not None
    assert (await process.stdout.readline()).strip().isdigit()
    process.terminate()
    assert (await process.communicate())[1].decode() == (
        "this is KubEVC's stand-in for the command plugin, used because the official plugin is not on this machine\n"
    )


async def test_create_keeps_the_inputs_and_cuts_one_newline(plugin: Plugin) -> None:
    outputs = await plugin.create(LOCAL, {"create": "printf 'a\\n\\n'; echo b >&2"})
    assert outputs == {"create": "printf 'a\\n\\n'; echo b >&2", "stdout": "a\n", "stderr": "b"}
    assert sorted(plugin.lines) == ["", "a", "b"]


async def test_without_create_nothing_runs(plugin: Plugin) -> None:
    assert await plugin.create(LOCAL, {"delete": "exit 1"}) == {"delete": "exit 1", "stdout": "", "stderr": ""}


async def test_a_preview_runs_nothing_and_tells_no_output(plugin: Plugin, tmp_path: Path) -> None:
    outputs = await plugin.create(LOCAL, {"create": f"touch {tmp_path}/ran"}, preview=True)
    assert outputs["stdout"] == rpc.UNKNOWN
    assert not (tmp_path / "ran").exists()


async def test_stdin_environment_folder_and_interpreter(plugin: Plugin, tmp_path: Path) -> None:
    inputs = {
        "create": "import os,sys; print(sys.stdin.read(), os.environ['NAME'], os.getcwd())",
        "interpreter": [sys.executable, "-c"],
        "stdin": "given",
        "environment": {"NAME": "value"},
        "dir": str(tmp_path),
    }
    assert (await plugin.create(LOCAL, inputs))["stdout"] == f"given value {tmp_path}"


async def test_a_command_need_not_read_its_input(plugin: Plugin) -> None:
    assert (await plugin.create(LOCAL, {"create": "echo done", "stdin": "x" * 1_000_000}))["stdout"] == "done"


@pytest.mark.parametrize(
    ("logging", "logged"),
    [("stdout", ["out"]), ("stderr", ["err"]), ("none", []), ("stdoutAndStderr", ["err", "out"])],
)
async def test_logging_chooses_what_is_shown(plugin: Plugin, logging: str, logged: list[str]) -> None:
    await plugin.create(LOCAL, {"create": "echo out; echo err >&2", "logging": logging})
    assert sorted(plugin.lines) == logged


async def test_a_failure_names_the_command_and_all_it_printed(plugin: Plugin) -> None:
    text = await failure(
        plugin.create(LOCAL, {"create": 'echo "out"\nsleep 0.1; echo oops >&2; exit 3', "stdin": "s3cret"})
    )
    assert text == 'exit status 3: running "echo \\"out\\"\\nsleep 0.1; echo oops >&2; exit 3":\nout\noops\n'


async def test_a_killed_command_names_the_signal(plugin: Plugin) -> None:
    assert await failure(plugin.create(LOCAL, {"create": "kill -9 $$"})) == 'signal: killed: running "kill -9 $$":\n'


async def test_a_missing_folder_is_named(plugin: Plugin) -> None:
    text = await failure(plugin.create(LOCAL, {"create": "true", "dir": "/nowhere/at/all"}))
    assert text == '/nowhere/at/all: no such file or directory: running "true":\n'


async def test_update_runs_update_else_create_and_sees_the_former_output(plugin: Plugin) -> None:
    olds = await plugin.create(LOCAL, {"create": "echo one; echo two >&2"})
    news = {"create": "echo $PULUMI_COMMAND_STDOUT-$PULUMI_COMMAND_STDERR"}
    assert (await plugin.update(LOCAL, olds, news))["stdout"] == "one-two"
    assert (await plugin.update(LOCAL, olds, {**news, "update": "echo up"}))["stdout"] == "up"
    assert (await plugin.update(LOCAL, olds, {**news, "addPreviousOutputInEnv": False}))["stdout"] == "-"


async def test_an_update_without_a_command_keeps_the_output(plugin: Plugin) -> None:
    olds = await plugin.create(LOCAL, {"create": "echo one"})
    assert (await plugin.update(LOCAL, olds, {"delete": "true"}))["stdout"] == "one"


async def test_delete_runs_with_what_the_state_knows(plugin: Plugin, tmp_path: Path) -> None:
    inputs = {
        "create": "echo made",
        "delete": f"cat > {tmp_path}/gone; echo $PULUMI_COMMAND_STDOUT >> {tmp_path}/gone",
        "stdin": "in-",
    }
    await plugin.delete(LOCAL, await plugin.create(LOCAL, inputs))
    assert (tmp_path / "gone").read_text() == "in-made\n"


async def test_any_input_is_an_update_and_triggers_replace(plugin: Plugin) -> None:
    olds = await plugin.create(LOCAL, {"create": "true", "triggers": ["1"], "stdin": secret("a")})
    news = {"create": "true", "triggers": ["1"], "stdin": "a"}
    assert await plugin.diff(LOCAL, olds, news) == ([], [])
    assert await plugin.diff(LOCAL, olds, {**news, "delete": "true"}) == (["delete"], [])
    assert await plugin.diff(LOCAL, olds, {**news, "stdin": "b"}) == (["stdin"], [])
    assert await plugin.diff(LOCAL, olds, {**news, "triggers": ["2"]}) == (["triggers"], ["triggers"])
    assert await plugin.diff(LOCAL, olds, {"triggers": ["1"], "stdin": "a"}) == (["create"], [])
    assert await plugin.diff(LOCAL, olds, {**news, "create": rpc.UNKNOWN}) == (["create"], [])


async def test_the_output_of_a_secret_is_secret(plugin: Plugin) -> None:
    outputs = await plugin.create(LOCAL, {"create": "cat", "stdin": secret("hidden")})
    assert outputs["stdout"] == secret("hidden")
    assert unmarked(outputs)["stdout"] == "hidden"


async def test_a_time_out_ends_the_command(plugin: Plugin) -> None:
    text = await failure(plugin.delete(LOCAL, {"delete": "sleep 60"}, timeout_seconds=0.3))
    assert text == "context deadline exceeded after 0.3 s"


@pytest.mark.parametrize("name", ["assetPaths", "archivePaths"])
async def test_what_it_cannot_do_it_refuses(plugin: Plugin, name: str) -> None:
    assert await plugin.check(LOCAL, {"create": "true", name: ["*"]}) == [
        (name, "it is not part of the stand-in for the command plugin; use the official plugin")
    ]


async def test_an_unknown_resource_type_is_refused(plugin: Plugin) -> None:
    text = await failure(plugin.check("command:remote:CopyFile", {}))
    assert text.startswith("the stand-in for the command plugin does not have command:remote:CopyFile, only ")
    assert "Traceback" not in text

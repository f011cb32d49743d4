"""Which plugins are taken: the user's, else the official ones, else ours."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.toolchain.served import Served
from toolchain import plugins
from toolchain.engine import Engine
from toolchain.plugins import COMMAND, KUBERNETES

pytestmark = pytest.mark.usefixtures("home")

# What `pulumi plugin install resource NAME VERSION` leaves behind.
INSTALLS = """
echo "$@" >> "$0.calls"
folder="$PULUMI_HOME/plugins/resource-$4-v$5"
mkdir -p "$folder" && touch "$folder/pulumi-resource-$4"
"""


def engine_of(commands: Callable[[str, str], Path], script: str) -> Engine:
    return Engine(source="path", version="3.259.0", folder=commands("pulumi", script).parent)


def test_the_official_plugin_is_installed_once(
    commands: Callable[[str, str], Path], served: Served, cache_folder: Path
) -> None:
    engine = engine_of(commands, INSTALLS)
    first = plugins.resolve(KUBERNETES, engine, server=served.url)
    assert first.source == "official"
    assert first.folder.is_relative_to(cache_folder)
    assert plugins.resolve(KUBERNETES, engine, server=served.url) == first == plugins.find(KUBERNETES)
    calls = (engine.folder / "pulumi.calls").read_text().splitlines()
    assert calls == [f"plugin install resource kubernetes 4.18.1 --exact --non-interactive --server {served.url}"]


def test_a_plugin_that_the_user_has_installed_is_taken(commands: Callable[[str, str], Path]) -> None:
    folder = Path("~/.pulumi/plugins/resource-command-v1.2.1").expanduser()
    folder.mkdir(parents=True)
    (folder / "pulumi-resource-command").touch()
    found = plugins.resolve(COMMAND, engine_of(commands, "exit 1"))
    assert (found.source, found.folder) == ("path", folder)


def test_where_nobody_answers_the_stand_in_is_taken_and_said(
    commands: Callable[[str, str], Path], no_server: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = plugins.resolve(COMMAND, engine_of(commands, "exit 1"), server=no_server)
    assert capfd.readouterr().err == f"no official plugin command 1.2.1: {no_server} does not answer\n"
    assert str(found).startswith("plugin command 1.2.1, a stand-in of this project, not the official plugin (")
    assert (found.folder / "pulumi-resource-command").stat().st_mode & 0o111


def test_a_failed_installation_is_said_and_ours_is_taken(
    commands: Callable[[str, str], Path], served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    engine = engine_of(commands, "echo error: 404 >&2; exit 255")
    assert plugins.resolve(COMMAND, engine, server=served.url).source == "stand-in"
    assert (
        "installing the official plugin command 1.2.1; failed (error: 404); using ours after" in capfd.readouterr().err
    )


def test_the_stand_in_gives_way_when_the_official_plugin_can_be_had(
    commands: Callable[[str, str], Path], served: Served, no_server: str
) -> None:
    engine = engine_of(commands, INSTALLS)
    assert plugins.resolve(COMMAND, engine, server=no_server).source == "stand-in"
    assert plugins.resolve(COMMAND, engine, server=served.url).source == "stand-in"
    assert plugins.resolve(COMMAND, engine, server=served.url, retry_official=True).source == "official"

"""Find the engine's plugins: installed by the user, else the official ones, else ours."""

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache, memory, recipes
from toolchain.build import build, is_built
from toolchain.engine import Engine
from toolchain.memory import Source
from toolchain.progress import Progress, say
from toolchain.release import OFFICIAL_URL, answers

_STAND_IN = Path(__file__).parent / "command_provider"


@dataclass(frozen=True, kw_only=True)
class Plugin:
    """A resource plugin at the version of its Python SDK in uv.lock."""

    name: str
    version: str

    @property
    def folder_name(self) -> str:
        """Name of its folder in a plugin home."""
        return f"resource-{self.name}-v{self.version}"

    @property
    def executable(self) -> str:
        """Name of the program."""
        return f"pulumi-resource-{self.name}"

    @property
    def piece(self) -> str:
        """Key in the notes on where pieces came from."""
        return f"plugin {self.name} {self.version} {cache.host_architecture()}"


KUBERNETES = Plugin(name="kubernetes", version="4.18.1")
COMMAND = Plugin(name="command", version="1.2.1")
ALL = (KUBERNETES, COMMAND)


@dataclass(frozen=True, kw_only=True)
class Installed:
    """A plugin that is on this machine."""

    plugin: Plugin
    source: Source
    folder: Path
    """Holds the executable."""

    def __str__(self) -> str:
        words = {
            "path": "installed by you",
            "official": "official release",
            "built": "built from source",
            "stand-in": "a stand-in of this project, not the official plugin",
        }
        return f"plugin {self.plugin.name} {self.plugin.version}, {words[self.source]} ({self.folder})"


def find(plugin: Plugin) -> Installed | None:
    """Return where a former set-up found `plugin`, without network or building; None if there was none."""
    users = _of_the_user(plugin)
    if users is not None:
        return Installed(plugin=plugin, source="path", folder=users)
    source = memory.recall(plugin.piece)
    if source is None:
        return None
    folder = _folder(plugin, source)
    if folder is None or not (folder / plugin.executable).exists():
        return None
    return Installed(plugin=plugin, source=source, folder=folder)


def resolve(plugin: Plugin, engine: Engine, *, retry_official: bool = False, server: str | None = None) -> Installed:
    """Return the plugin, installing or building it if needed.

    Args:
        plugin: Which one.
        engine: Its `pulumi plugin install` gets the official one.
        retry_official: Ask for the official one again, although it was not to be had before.
        server: Address of the folder to download from, in place of upstream's.

    Raises:
        ToolchainError: It can neither be installed nor built.
    """
    known = None if retry_official else find(plugin)
    if known is not None:
        return known
    source: Source = "official" if _install(plugin, engine, server) else _make_ours(plugin)
    memory.remember(plugin.piece, source)
    folder = _folder(plugin, source)
    assert folder is not None
    return Installed(plugin=plugin, source=source, folder=folder)


def _of_the_user(plugin: Plugin) -> Path | None:
    folder = Path("~/.pulumi/plugins").expanduser() / plugin.folder_name
    return folder if (folder / plugin.executable).exists() else None


def _folder(plugin: Plugin, source: Source) -> Path | None:
    if source == "official":
        return _home() / "plugins" / plugin.folder_name
    if source == "stand-in":
        return _STAND_IN
    recipe = recipes.table().get(f"resource-{plugin.name}")
    if recipe is None or not is_built(recipe, cache.host_architecture()):
        return None
    return recipe.folder(cache.host_architecture())


def _home() -> Path:
    return cache.toolchain() / "plugins-official"


def _install(plugin: Plugin, engine: Engine, server: str | None) -> bool:
    """Install the official plugin; say in one line why if that is not possible."""
    if not answers(server or OFFICIAL_URL):
        say(f"no official plugin {plugin.name} {plugin.version}: {server or OFFICIAL_URL} does not answer")
        return False
    command = [str(engine.pulumi), "plugin", "install", "resource", plugin.name, plugin.version]
    command += ["--exact", "--non-interactive", *(["--server", server] if server else [])]
    environment = {**os.environ, "PULUMI_HOME": str(_home()), "PULUMI_SKIP_UPDATE_CHECK": "true"}
    progress = Progress(f"installing the official plugin {plugin.name} {plugin.version}")
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        progress.finish("done")
        return True
    last = (asked.stderr.strip() or "it said nothing").splitlines()[-1]
    progress.finish(f"failed ({last}); using ours")
    return False


def _make_ours(plugin: Plugin) -> Source:
    makers: dict[Plugin, Callable[[], Source]] = {KUBERNETES: _build_kubernetes, COMMAND: _take_stand_in}
    return makers[plugin]()


def _build_kubernetes() -> Source:
    build(recipes.table()["resource-kubernetes"], cache.host_architecture())
    return "built"


def _take_stand_in() -> Source:
    return "stand-in"

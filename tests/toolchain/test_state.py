"""The state folder of a checkout and the variables that point at it."""

import shlex
import subprocess
from pathlib import Path

import pytest

from toolchain.engine import Engine
from toolchain.environment import shell_lines, variables
from toolchain.errors import StateError
from toolchain.plugins import COMMAND, Installed
from toolchain.state import CHECKOUT, State


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "a folder" / ".state")


def engine(folder: Path) -> Engine:
    return Engine(source="built", version="3.259.0", folder=folder)


def test_the_passphrase_is_made_once_and_only_the_user_reads_it(state: State) -> None:
    state.prepare([])
    first = state.passphrase_file.read_text()
    state.prepare([])
    assert state.passphrase_file.read_text() == first
    assert len(first) >= 40
    assert state.passphrase_file.stat().st_mode & 0o777 == 0o600
    assert state.folder.stat().st_mode & 0o777 == 0o700


def test_kubeconfigs_that_a_plugin_left_behind_are_removed(state: State) -> None:
    state.prepare([])
    assert state.temporary.stat().st_mode & 0o777 == 0o700
    assert variables(engine(state.folder), state)["TMPDIR"] == str(state.temporary)
    (state.temporary / "kubeconfig1234").write_text("an administrator's key")
    state.prepare([])
    assert not list(state.temporary.iterdir())


def test_a_passphrase_that_others_could_read_is_closed_again(state: State) -> None:
    state.prepare([])
    state.passphrase_file.chmod(0o644)
    state.prepare([])
    assert state.passphrase_file.stat().st_mode & 0o777 == 0o600


def test_an_empty_passphrase_is_refused(state: State) -> None:
    state.prepare([])
    state.passphrase_file.write_text("\n")
    with pytest.raises(StateError) as refused:
        state.prepare([])
    assert str(refused.value) == (
        f"{state.passphrase_file}: the file is empty\n"
        "  why it matters: the secrets of the stacks are encrypted with what was in it\n"
        "  what to do: restore it from a backup; if there are no stacks yet, delete it and run this again"
    )


def test_a_state_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="it cannot be written: Not a directory"):
        State(tmp_path / "file" / ".state").prepare([])


def test_a_plugin_looks_installed_and_moves_with_its_source(state: State, tmp_path: Path) -> None:
    for name in ("old", "new"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "pulumi-resource-command").write_text(name)
        state.prepare([Installed(plugin=COMMAND, source="official", folder=folder)])
        linked = state.home / "plugins" / "resource-command-v1.2.1" / "pulumi-resource-command"
        assert linked.read_text() == name
        assert not linked.parent.is_symlink()


def test_the_lines_set_the_variables_in_a_shell(state: State, tmp_path: Path) -> None:
    lines = "\n".join(shell_lines(engine(tmp_path / "bin"), state))
    script = (
        f'PULUMI_CONFIG_PASSPHRASE=old\n{lines}\necho "$PULUMI_BACKEND_URL|$PATH|${{PULUMI_CONFIG_PASSPHRASE-unset}}"'
    )
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout
    url, path, passphrase = said.rstrip("\n").split("|")
    assert url == f"file://{state.backend}"
    assert path.split(":")[:2] == [str(CHECKOUT / ".venv" / "bin"), str(tmp_path / "bin")]
    assert passphrase == "unset"


def test_nothing_secret_is_printed(state: State, tmp_path: Path) -> None:
    state.prepare([])
    assert state.passphrase_file.read_text() not in "\n".join(shell_lines(engine(tmp_path), state))


def test_evaluating_twice_does_not_grow_path(state: State, cache_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = variables(engine(cache_folder / "toolchain" / "engine" / "1"), state)["PATH"]
    monkeypatch.setenv("PATH", first)
    second = variables(engine(cache_folder / "toolchain" / "engine" / "2"), state)["PATH"]
    assert len(second.split(":")) == len(first.split(":"))
    assert shlex.quote(second) == second.replace("'", "")

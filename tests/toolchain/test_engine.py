"""Which engine is taken: the user's, else the official release, else one built from source."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.toolchain.served import CHECKSUMS, Served, archive, publish
from toolchain import cache, engine, memory
from toolchain.errors import GoError, ToolchainError

Commands = Callable[[str, str], Path]
only_amd64 = pytest.mark.skipif(cache.host_architecture() != "amd64", reason="the served archive is for amd64")


def users_engine(commands: Commands, version: str) -> Path:
    commands("pulumi-language-python", "")
    commands("pulumi-language-python-exec", "")
    return commands("pulumi", f"echo {version}")


@pytest.mark.parametrize("version", ["v3.229.0", "v3.259.0", "v3.999.1"])
def test_the_users_own_engine_comes_first(commands: Commands, served: Served, version: str) -> None:
    path = users_engine(commands, version)
    found = engine.resolve(base_url=served.url)
    assert (found.source, found.version, found.pulumi) == ("path", version.removeprefix("v"), path)
    assert served.asked == []


@only_amd64
@pytest.mark.parametrize(
    ("version", "found"), [("v3.228.9", "3.228.9"), ("v4.0.0", "4.0.0"), ("", "not known"), ("nonsense", "nonsense")]
)
def test_an_engine_that_does_not_fit_is_passed_over_aloud(
    commands: Commands, served: Served, capfd: pytest.CaptureFixture[str], version: str, found: str
) -> None:
    path = users_engine(commands, version)
    publish(served, archive())
    assert engine.resolve(base_url=served.url).source == "official"
    assert f"{path} is not used: its version is {found}, wanted is 3.229 or newer, below 4\n" in capfd.readouterr().err


@only_amd64
def test_an_engine_without_a_language_host_is_passed_over(
    commands: Commands, served: Served, capfd: pytest.CaptureFixture[str]
) -> None:
    path = commands("pulumi", "echo v3.259.0")
    publish(served, archive())
    assert engine.resolve(base_url=served.url).source == "official"
    assert f"{path} is not used: pulumi-language-python is neither beside it nor on PATH" in capfd.readouterr().err


@only_amd64
def test_the_official_release_is_asked_for_once(commands: Commands, served: Served) -> None:
    publish(served, archive())
    first = engine.resolve(base_url=served.url)
    served.asked.clear()
    assert engine.resolve(base_url=served.url) == first == engine.find()
    assert served.asked == []


def test_without_either_it_is_built_and_the_reason_is_said_in_one_line(
    commands: Commands, no_server: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GoError, match="no go command is on PATH"):
        engine.resolve(base_url=no_server)
    assert capfd.readouterr().err == (
        f"no official engine: {no_server}{CHECKSUMS}: it cannot be had: [Errno 111] Connection refused; "
        "using one that is built from source\n"
    )


def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let recipes be built by writing files; return the list of what was built."""
    made: list[str] = []

    def build(recipe: object, architecture: str) -> Path:
        name = recipe.name  # type: ignore[attr-defined]
        made.append(name)
        result = recipe.result(architecture)  # type: ignore[attr-defined]
        result.parent.mkdir(parents=True, exist_ok=True)
        result.write_text("")
        if name == "pulumi":
            (result.parent / "pulumi-language-python-exec").write_text("")
        return result

    monkeypatch.setattr(engine, "build", build)
    return made


def test_a_built_engine_is_remembered_and_the_network_is_left_alone(
    commands: Commands, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = built(monkeypatch)
    first = engine.resolve(base_url=served.url)
    assert (first.source, made) == ("built", ["pulumi", "language-python"])
    assert sorted(path.name for path in first.folder.iterdir()) == sorted(engine.PARTS)
    served.asked.clear()
    assert engine.resolve(base_url=served.url) == first
    assert served.asked == []


@only_amd64
def test_retry_official_asks_again(commands: Commands, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    built(monkeypatch)
    assert engine.resolve(base_url=served.url).source == "built"
    publish(served, archive())
    assert engine.resolve(base_url=served.url).source == "built"
    assert engine.resolve(base_url=served.url, retry_official=True).source == "official"
    assert engine.resolve(base_url=served.url).source == "official"


def test_our_own_engine_on_path_is_not_taken_for_the_users(
    commands: Commands, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(monkeypatch)
    first = engine.resolve(base_url=served.url)
    monkeypatch.setenv("PATH", f"{first.folder}:/usr/bin:/bin")
    assert engine.resolve(base_url=served.url) == first


def test_damaged_notes_are_as_good_as_none(cache_folder: Path) -> None:
    memory.remember("pulumi", "built")
    (cache_folder / "toolchain" / "sources.json").write_text("{")
    assert memory.recall("pulumi") is None


def test_before_any_set_up_the_way_to_it_is_said(commands: Commands) -> None:
    with pytest.raises(ToolchainError) as refused:
        engine.required()
    assert str(refused.value) == (
        "engine: no Pulumi engine is set up on this machine\n"
        "  why it matters: every pulumi command needs one\n"
        "  what to do: run: .venv/bin/python -m toolchain setup"
    )

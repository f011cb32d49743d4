"""The builder, with a real Go module of a few lines."""

import shutil
import subprocess
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain import cache, compiler
from toolchain.build import build, is_built
from toolchain.errors import BuildError, GoError
from toolchain.recipes import Recipe

HERE = cache.host_architecture()
HELLO = 'package main\n\nfunc main() { println(text) }\n\nvar text = "none"\n'
LOADER = b"/ld-linux"
needs_go = pytest.mark.skipif(shutil.which("go") is None, reason="there is no Go compiler on this machine")


@pytest.fixture
def hello(go_folder: Path) -> Recipe:
    recipe = Recipe(
        name="hello",
        version="1.2",
        package=".",
        binary="hello",
        cgo="off",
        minutes=1,
        variables={"main.text": "v{version}"},
    )
    recipe.sources.mkdir(parents=True)
    (recipe.sources / "go.mod").write_text("module example.com/hello\n\ngo 1.21\n")
    (recipe.sources / "go.sum").write_text("")
    (recipe.sources / "main.go").write_text(HELLO)
    return recipe


def leftovers() -> list[Path]:
    return [path for path in (cache.toolchain() / ".work").glob("*") if path.suffix != ".lock"]


@needs_go
def test_the_result_lies_in_the_cache_and_carries_the_version(hello: Recipe) -> None:
    binary = build(hello, HERE)
    assert binary == cache.toolchain() / "hello" / f"1.2-{hello.fingerprint}" / HERE / "hello"
    assert subprocess.run([binary], capture_output=True, text=True, check=True).stderr == "v1.2\n"
    assert leftovers() == []


@needs_go
def test_a_second_build_needs_no_compiler(hello: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    binary = build(hello, HERE)
    monkeypatch.setenv("PATH", "/nowhere")
    assert build(hello, HERE) == binary


@needs_go
def test_a_result_without_its_binary_is_built_again(hello: Recipe) -> None:
    binary = build(hello, HERE)
    binary.rename(binary.with_name("other"))
    assert build(hello, HERE) == binary
    assert [path.name for path in binary.parent.iterdir()] == ["hello"]


@needs_go
def test_two_runs_at_once_build_once(hello: Recipe, capfd: pytest.CaptureFixture[str]) -> None:
    runs = [threading.Thread(target=build, args=(hello, HERE)) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    said = capfd.readouterr().err
    assert said.count("; done after") == 1
    assert "another run is busy with the build of hello 1.2; waiting for it" in said


@needs_go
def test_code_that_does_not_compile_leaves_nothing_behind(hello: Recipe) -> None:
    (hello.sources / "main.go").write_text("package main\n\nfunc main() { missing() }\n")
    with pytest.raises(BuildError) as failed:
        build(hello, HERE)
    text = str(failed.value)
    assert text.startswith("go build of hello 1.2 (toolchain/go/hello): it failed:\n")
    assert "undefined: missing" in text
    assert "why it matters: hello cannot be used" in text
    assert "then run: python -m toolchain setup" in text
    assert not is_built(hello, HERE)
    assert leftovers() == []


@needs_go
def test_go_mod_is_not_changed_by_a_build(hello: Recipe) -> None:
    (hello.sources / "main.go").write_text('package main\n\nimport _ "example.com/absent"\n\nfunc main() {}\n')
    with pytest.raises(BuildError, match="import lookup disabled by -mod=readonly"):
        build(hello, HERE)


def test_no_compiler_is_said_with_the_way_out(hello: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GoError) as refused:
        build(hello, HERE)
    assert str(refused.value) == (
        "go: no go command is on PATH\n"
        "  why it matters: hello 1.2 is not on this machine, its official download was not to be had, "
        "and so it must be built\n"
        "  what to do: install Go 1.26 or newer from https://go.dev/dl/ (or any Go from 1.21 on, which fetches it), "
        "then run it again"
    )


@pytest.mark.parametrize(("version", "toolchain"), [("go1.19.8", "auto"), ("go1.24.1", "local")])
def test_an_old_compiler_is_named(
    hello: Recipe, commands: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch, version: str, toolchain: str
) -> None:
    go = commands("go", f"echo go version {version} linux/amd64")
    monkeypatch.setenv("GOTOOLCHAIN", toolchain)
    with pytest.raises(GoError) as refused:
        build(hello, HERE)
    found = ".".join(version.removeprefix("go").split(".")[:2])
    assert str(refused.value).startswith(
        f"{go}: Go {found} is too old\n  why it matters: hello 1.2 needs Go 1.26 to build\n"
    )


def test_a_cross_build_with_c_code_names_the_package_it_needs(
    hello: Recipe, commands: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    go = commands("go", "echo go version go1.26.1 linux/amd64")
    monkeypatch.setenv("PATH", str(go.parent))
    monkeypatch.setattr(cache, "host_architecture", lambda: "amd64")
    with pytest.raises(GoError) as refused:
        build(replace(hello, cgo="needed"), "armhf")
    assert str(refused.value) == (
        "arm-linux-gnueabihf-gcc: the C compiler is not on PATH\n"
        "  why it matters: hello 1.2 for armhf has C code in it\n"
        "  what to do: run: apt-get install gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"
    )


def test_c_code_for_one_architecture_asks_no_other_for_a_compiler(
    hello: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    mostly_go = replace(hello, cgo="amd64")
    assert compiler.environment(mostly_go, "arm64")["CGO_ENABLED"] == "0"
    with pytest.raises(GoError, match=r"hello 1\.2 for amd64 has C code in it"):
        compiler.environment(mostly_go, "amd64")


@needs_go
def test_a_statically_linked_program_needs_no_loader(hello: Recipe) -> None:
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    (hello.sources / "main.go").write_text(f'package main\n\nimport "C"\n{HELLO.removeprefix("package main")}')
    with_c = replace(hello, cgo="needed", strip=True)
    assert LOADER in build(with_c, HERE).read_bytes()
    static = build(replace(with_c, version="1.3", static=True), HERE)
    assert LOADER not in static.read_bytes()
    assert subprocess.run([static], capture_output=True, text=True, check=True).stderr == "v1.3\n"


def test_an_unknown_architecture_is_refused(hello: Recipe, commands: Callable[[str, str], Path]) -> None:
    commands("go", "echo go version go1.26.1 linux/amd64")
    with pytest.raises(GoError, match="there is no recipe for the architecture 'mips'") as refused:
        build(hello, "mips")
    assert "use one of: amd64, arm64, armhf" in str(refused.value)

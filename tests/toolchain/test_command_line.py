"""The verbs, as a person types them."""

import errno
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain import __main__ as command_line
from toolchain import cache, clean, recipes
from toolchain.errors import CacheError


def test_env_before_setup_prints_nothing_to_evaluate(root: Path, cache_folder: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "KUBEVC_CACHE": str(cache_folder), "HOME": str(cache_folder)}
    ran = subprocess.run(
        [sys.executable, "-m", "toolchain", "env"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ran.stderr.startswith("error: engine: no Pulumi engine is set up on this machine\n")
    assert "Traceback" not in ran.stderr


def test_an_interrupted_setup_says_that_it_can_be_run_again(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toolchain.engine.resolve", interrupted)
    assert command_line.main(["setup"]) == 130
    assert capfd.readouterr().err == "\nstopped; the next run starts the unfinished piece again\n"


def test_a_full_disk_is_said_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], cache_folder: Path
) -> None:
    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", f"{cache_folder}/x")

    monkeypatch.setattr("toolchain.engine.resolve", full)
    assert command_line.main(["setup"]) == 1
    assert capfd.readouterr().err == (
        f"error: {cache_folder}/x: no space is left on the disk\n"
        "  why it matters: the engine takes 0.5 GB, the lab's artifacts 3 GB, a build some 5 GB while it runs\n"
        "  what to do: run: python -m toolchain clean --go-build-cache, "
        "or set KUBEVC_CACHE to a folder on another disk\n"
    )


def test_a_cache_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CacheError) as refused:
        cache.make_folder(tmp_path / "file" / "cache")
    assert str(refused.value) == (
        f"{tmp_path}/file/cache: the folder cannot be created: Not a directory\n"
        "  why it matters: binaries, images and models are kept there between runs\n"
        "  what to do: make it writable, or set KUBEVC_CACHE to a folder on a disk with about 10 GB free"
    )


def test_the_cache_is_where_the_variables_say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Path) -> None:
    monkeypatch.delenv("KUBEVC_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.root() == tmp_path / "xdg" / "kubevc"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.root() == home / ".cache" / "kubevc"


def test_clean_keeps_the_present_recipes(cache_folder: Path) -> None:
    kept = [recipes.table()[name].result("amd64") for name in ("k3s", "kubernetes/kubelet")]
    gone = [cache.toolchain() / "k3s" / "v1.0-0" / "amd64" / "k3s", cache.toolchain() / ".work" / "k3s-amd64" / "x"]
    for path in [*kept, *gone]:
        path.parent.mkdir(parents=True)
        path.touch()
    clean.clean(go_build_cache=False)
    assert all(path.exists() for path in kept)
    assert not any(path.exists() for path in gone)


def test_clean_keeps_two_versions_of_one_binary(monkeypatch: pytest.MonkeyPatch) -> None:
    kubelet = recipes.table()["kubernetes/kubelet"]
    table = {"kubernetes/kubelet": kubelet, "kubernetes-1.33/kubelet": replace(kubelet, version="v1.33.5")}
    monkeypatch.setattr(recipes, "table", lambda: table)
    kept = [recipe.result("amd64") for recipe in table.values()]
    for path in kept:
        path.parent.mkdir(parents=True)
        path.touch()
    clean.clean(go_build_cache=False)
    assert all(path.exists() for path in kept)

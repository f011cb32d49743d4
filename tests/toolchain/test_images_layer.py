"""Layers and archives: equal content gives equal bytes."""

import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from toolchain.images import archive, layer
from toolchain.images.archive import Settings
from toolchain.images.layer import Layer

SETTINGS = Settings(entrypoint=("/a",), user="65534:65534", environment={"B": "2", "A": "1"}, labels={"title": "a"})


def fill_one_way(tree: Path) -> str:
    (tree / "b").write_text("content")
    (tree / "b").chmod(0o600)
    (tree / "bin").mkdir(mode=0o700)
    (tree / "bin" / "program").write_text("program")
    (tree / "bin" / "program").chmod(0o700)
    (tree / "link").symlink_to("bin")
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    return "one"


def fill_another_way(tree: Path) -> str:
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    (tree / "link").symlink_to("bin")
    (tree / "bin").mkdir(mode=0o755)
    (tree / "bin" / "program").write_text("program")
    (tree / "bin" / "program").chmod(0o4755)
    (tree / "b").write_text("content")
    (tree / "b").chmod(0o664)
    os.utime(tree / "b", (1, 1))
    return "another"


def entries(path: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(path) as content:
        return {entry.name: entry for entry in content}


def content_of(path: Path, name: str) -> Any:
    with tarfile.open(path) as content:
        file = content.extractfile(name)
        assert file
        return json.load(file)


@pytest.fixture
def layers() -> list[Layer]:
    return [layer.make("the root", "a" * 64, fill_one_way), layer.make("the program", "b" * 64, lambda tree: "empty")]


def test_order_times_umask_and_set_user_bits_leave_no_trace() -> None:
    one, other = layer.make("", "1" * 64, fill_one_way), layer.make("", "2" * 64, fill_another_way)
    assert one.path != other.path
    assert one.path.read_bytes() == other.path.read_bytes()
    assert one.sha256 == other.sha256


def test_entries_belong_to_root_and_can_be_read_by_everybody() -> None:
    found = entries(layer.make("", "1" * 64, fill_one_way).path)
    assert {name: oct(entry.mode) for name, entry in found.items()} == {
        "b": "0o644",
        "bin": "0o755",
        "bin/program": "0o755",
        "link": "0o755",
        "tmp": "0o1777",
    }
    assert {(entry.uid, entry.gid, entry.mtime) for entry in found.values()} == {(0, 0, 0)}
    assert found["link"].linkname == "bin"


def test_a_layer_of_one_key_is_made_once() -> None:
    first = layer.make("", "1" * 64, fill_one_way)

    def refuse(tree: Path) -> str:
        raise AssertionError("it was made again")

    assert layer.make("", "1" * 64, refuse) == first


def test_a_layer_that_cannot_be_finished_is_not_in_the_cache(cache_folder: Path) -> None:
    def fail(tree: Path) -> str:
        (tree / "a").write_text("half")
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        layer.make("", "1" * 64, fail)
    assert not list((cache_folder / "layers").iterdir())


def test_an_archive_holds_what_its_manifest_names(tmp_path: Path, layers: list[Layer]) -> None:
    path = tmp_path / "a.tar"
    archive.write(path, ["kubevc.io/a:1"], layers, SETTINGS, "amd64")
    (manifest,) = content_of(path, "manifest.json")
    assert manifest["RepoTags"] == ["kubevc.io/a:1"]
    assert set(entries(path)) == {"manifest.json", manifest["Config"], *manifest["Layers"]}
    configuration = content_of(path, manifest["Config"])
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{each.sha256}" for each in layers]
    assert [f"{digest[7:]}/layer.tar" for digest in configuration["rootfs"]["diff_ids"]] == manifest["Layers"]
    assert configuration["config"]["User"] == "65534:65534"
    assert configuration["config"]["Env"] == ["A=1", "B=2"]
    assert len(configuration["history"]) == len(layers)


def test_an_image_may_have_several_names(tmp_path: Path, layers: list[Layer]) -> None:
    names = ["docker.io/rancher/mirrored-pause:3.6", "registry.k8s.io/pause:3.10.1"]
    archive.write(tmp_path / "a.tar", names, layers, SETTINGS, "amd64")
    (manifest,) = content_of(tmp_path / "a.tar", "manifest.json")
    assert manifest["RepoTags"] == names


def test_a_layer_is_in_the_archive_byte_for_byte(tmp_path: Path, layers: list[Layer]) -> None:
    archive.write(tmp_path / "a.tar", ["kubevc.io/a:1"], layers, SETTINGS, "amd64")
    with tarfile.open(tmp_path / "a.tar") as content:
        file = content.extractfile(f"{layers[0].sha256}/layer.tar")
        assert file
        assert io.BytesIO(file.read()).getvalue() == layers[0].path.read_bytes()


def test_an_archive_made_again_is_the_same(tmp_path: Path, layers: list[Layer]) -> None:
    for name in ("one", "other"):
        archive.write(tmp_path / name, ["kubevc.io/a:1"], layers, SETTINGS, "amd64")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


@pytest.mark.parametrize(
    ("architecture", "written"),
    [
        ("amd64", {"architecture": "amd64"}),
        ("arm64", {"architecture": "arm64", "variant": "v8"}),
        ("armhf", {"architecture": "arm", "variant": "v7"}),
    ],
)
def test_the_architecture_is_written_in_the_registry_s_words(
    tmp_path: Path, layers: list[Layer], architecture: str, written: dict[str, str]
) -> None:
    archive.write(tmp_path / "a.tar", ["kubevc.io/a:1"], layers, SETTINGS, architecture)
    (manifest,) = content_of(tmp_path / "a.tar", "manifest.json")
    configuration = content_of(tmp_path / "a.tar", manifest["Config"])
    assert {key: configuration.get(key) for key in ("architecture", "variant") if key in configuration} == written


def test_a_forgotten_layer_is_made_again() -> None:
    layer.make("", "1" * 64, fill_one_way)
    layer.forget("1" * 64)
    assert layer.make("", "1" * 64, fill_another_way).identity == "another"


def test_layers_that_are_not_used_any_more_go(cache_folder: Path) -> None:
    old, new = layer.make("", "1" * 64, fill_one_way), layer.make("", "2" * 64, fill_one_way)
    os.utime(old.path.with_suffix(".json"), (1, 1))
    layer.forget_unused()
    assert {path.stem for path in (cache_folder / "layers").iterdir()} == {new.path.stem}

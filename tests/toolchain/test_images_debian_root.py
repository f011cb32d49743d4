"""Bottom layers of Debian packages: complete, without what is not needed, with a record of their origin."""

import shutil
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toolchain.images import closure, debian, netfilter_root, python_root
from toolchain.images.debian_root import DebianRoot
from toolchain.images.errors import PackageError
from toolchain.images.layer import Layer

QUADMATH = next(Path(np.__file__).parents[1].glob("numpy.libs/libquadmath*"))
needs_dpkg = pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg is not installed")


def package(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    """Make a real Debian package."""
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: {name}\nVersion: 1.0-2+b3\nArchitecture: all\nMaintainer: a <a@example.com>\nDescription: a\n"
    )
    for path, content in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    made = folder / f"{name}_1.0-2_all.deb"
    subprocess.run(["dpkg-deb", "--build", "--root-owner-group", tree, made], check=True, capture_output=True)
    return made


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DebianRoot:
    """Return a bottom layer of two packages, one of which brings a plug-in that needs the C library."""
    packages = [
        package(tmp_path, "tool", {"usr/sbin/tool": b"a", "usr/share/man/tool.1": b"a", "lib/plugins/x.so": b"a"}),
        package(tmp_path, "plugin", {"usr/lib/plugins/quad.so": QUADMATH.read_bytes()}),
    ]
    listed = tmp_path / "packages.txt"
    listed.write_text("# Two of them.\nplugin\ntool\n")

    def download(names: Sequence[str], architecture: str, folder: Path) -> list[Path]:
        assert list(names) == ["plugin", "tool"]
        return packages

    monkeypatch.setattr(debian, "download", download)
    return DebianRoot(title="tools", packages=listed, unneeded=(), finish=lambda tree: None, sources=())


def without_plugin(tree: Path) -> None:
    (tree / "usr/lib/plugins/quad.so").unlink()


def entries(layer: Layer) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(layer.path) as content:
        return {entry.name: entry for entry in content}


@needs_dpkg
def test_a_plug_in_without_its_library_is_refused(root: DebianRoot, cache_folder: Path) -> None:
    with pytest.raises(PackageError) as refused:
        root.layer("amd64")
    assert str(refused.value).startswith(
        "toolchain/images/packages.txt: no package in it has what others need: quad.so needs libc.so.6, "
    )
    assert "quad.so needs libm.so.6" in str(refused.value)
    assert str(refused.value).endswith(
        "  why it matters: a program of the image would fail, perhaps only when it loads that plug-in\n"
        "  what to do: add the package (find it with: apt-file search LIBRARY), or leave out what needs it"
    )
    assert not list((cache_folder / "layers").glob("*.tar"))


@needs_dpkg
def test_a_root_has_the_packages_their_records_and_no_manuals(root: DebianRoot) -> None:
    layer = replace(root, finish=without_plugin).layer("amd64")
    found = entries(layer)
    assert "usr/sbin/tool" in found
    # The package has it in /lib, which is a link here.
    assert "usr/lib/plugins/x.so" in found
    assert found["lib"].linkname == "usr/lib"
    assert "usr/share/man" not in found
    assert {"var/lib/dpkg/status.d/plugin", "var/lib/dpkg/status.d/tool"} <= found.keys()
    assert layer.identity.endswith(" plugin=1.0-2 tool=1.0-2")


@needs_dpkg
def test_a_renewed_root_takes_the_packages_again(root: DebianRoot, tmp_path: Path) -> None:
    complete = replace(root, finish=without_plugin)
    complete.layer("amd64")
    shutil.rmtree(tmp_path / "tool")
    package(tmp_path, "tool", {"usr/sbin/newer": b"a"})
    assert "usr/sbin/tool" in entries(complete.layer("amd64"))
    complete.renew("amd64")
    assert "usr/sbin/newer" in entries(complete.layer("amd64"))


def test_a_tree_with_all_libraries_misses_none(tmp_path: Path) -> None:
    (tmp_path / "plugin.so").write_bytes(QUADMATH.read_bytes())
    (tmp_path / "link.so").symlink_to("plugin.so")
    needed = {line.split(" needs ")[1] for line in closure.missing(tmp_path)}
    assert {"libm.so.6", "libc.so.6"} <= needed
    for name in needed:
        (tmp_path / name).write_text("not looked into")
    assert closure.missing(tmp_path) == []


def test_iptables_is_the_one_with_the_backend_of_debian_s_hosts(tmp_path: Path) -> None:
    for folder in ("usr/bin", "usr/sbin"):
        (tmp_path / folder).mkdir(parents=True)
    netfilter_root.ROOT.finish(tmp_path)
    assert {path.name: str(path.readlink()) for path in (tmp_path / "usr/sbin").iterdir()} == dict.fromkeys(
        ["iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"],
        "xtables-nft-multi",
    )
    assert {path.name: str(path.readlink()) for path in (tmp_path / "usr/bin").iterdir()} == dict.fromkeys(
        ["mv", "seq", "sh", "sleep"], "busybox"
    )


@pytest.mark.parametrize("root", [python_root.ROOT, netfilter_root.ROOT])
def test_lists_of_packages_have_the_c_library_and_the_release(root: DebianRoot) -> None:
    assert {"base-files", "libc6"} <= set(debian.listed(root.packages))

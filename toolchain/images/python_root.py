"""The bottom layer of the Python images: Debian 12's interpreter and C libraries, nothing that runs beside it."""

import hashlib
import re
import shutil
import tempfile
from pathlib import Path

from toolchain.images import bytecode, debian
from toolchain.images.layer import Layer, forget, make
from toolchain.progress import say

_LIST = Path(__file__).with_name("debian-packages.txt")
_RECORDS = "var/lib/dpkg/status.d"
_FOLDERS = ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/local/lib", "etc", "tmp", "run", _RECORDS)
_MERGED = ("bin", "sbin", "lib", "lib64")
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
# What no server needs: manuals, character tables of the C library, Python's editor, installer and documentation; and
# modules for libraries that are not in the list of packages.
_UNNEEDED = (
    "usr/share/doc/*/[!c]*",
    "usr/share/doc/*/changelog*",
    "usr/share/[iml]*/",
    "usr/share/base-files",
    "usr/lib/*-linux-gnu/gconv",
    "usr/lib/python3.11/idlelib",
    "usr/lib/python3.11/lib2to3",
    "usr/lib/python3.11/pydoc_data",
    "usr/lib/python3.11/turtledemo",
    "usr/lib/python3.11/lib-dynload/nis.*",
    "usr/lib/python3.11/lib-dynload/readline.*",
    "usr/lib/python3.11/lib-dynload/_curses*",
    "usr/lib/python3.11/lib-dynload/_dbm.*",
)


def layer(architecture: str) -> Layer:
    """Return the layer, made from the current Debian 12 packages when the cache has none of this recipe.

    Raises:
        PackageError: A package cannot be had.
    """
    return make("Debian 12 Python 3.11", _key(architecture), lambda tree: _fill(tree, architecture))


def renew(architecture: str) -> None:
    """Forget the layer, so that the next image takes the Debian packages, and their security updates, of today."""
    forget(_key(architecture))


def _key(architecture: str) -> str:
    return hashlib.sha256(f"{architecture} {_recipe()}".encode()).hexdigest()


def _recipe() -> str:
    sources = (Path(__file__), Path(bytecode.__file__), _LIST)
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()


def _fill(tree: Path, architecture: str) -> str:
    _make_skeleton(tree)
    say(f"  downloading {len(debian.listed(_LIST))} Debian packages for {architecture}")
    with tempfile.TemporaryDirectory(prefix="kubevc-debs-") as scratch:
        for package in debian.download(debian.listed(_LIST), architecture, Path(scratch)):
            debian.unpack(package, tree)
            _record(package, tree)
    for pattern in _UNNEEDED:
        _remove(tree, pattern)
    (tree / "usr/bin/python3").symlink_to("python3.11")
    bytecode.compile_tree(tree / "usr/lib/python3.11", tree)
    return " ".join([_recipe(), *_versions(tree)])


def _versions(tree: Path) -> list[str]:
    """Return name and version of each package; a rebuild of the same source for one architecture is not told apart."""
    controls = [path.read_text() for path in sorted((tree / _RECORDS).iterdir())]
    found = [(_field(control, "Package"), _field(control, "Version")) for control in controls]
    return [f"{name}={re.sub('[+]b[0-9]+$', '', version)}" for name, version in found]


def _field(control: str, name: str) -> str:
    match = re.search(rf"^{name}: (.+)$", control, re.MULTILINE)
    return match[1] if match else ""


def _make_skeleton(tree: Path) -> None:
    for name in _FOLDERS:
        (tree / name).mkdir(parents=True)
    for name in _MERGED:
        (tree / name).symlink_to(f"usr/{name}")
    for name, content in _FILES.items():
        (tree / name).write_text(content)
    (tree / "tmp").chmod(0o1777)


def _record(package: Path, tree: Path) -> None:
    """Keep the package's control file where vulnerability scanners look for it in images without dpkg."""
    name = package.name.split("_")[0]
    (tree / _RECORDS / name).write_text(debian.control(package))


def _remove(tree: Path, pattern: str) -> None:
    for path in sorted(tree.glob(pattern)):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

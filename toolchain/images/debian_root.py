"""The bottom layer of an image that is not just one static binary: some Debian 12 packages and nothing beside them."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from toolchain.images import closure, debian
from toolchain.images.errors import PackageError
from toolchain.images.layer import Layer, forget, make
from toolchain.progress import say

_RECORDS = "var/lib/dpkg/status.d"
_FOLDERS = ("usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "usr/local/lib", "etc", "tmp", "run", _RECORDS)
_MERGED = ("bin", "sbin", "lib", "lib64")
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
# Manuals and character tables of the C library.
_UNNEEDED = (
    "usr/share/doc/*/[!c]*",
    "usr/share/doc/*/changelog*",
    "usr/share/[iml]*/",
    "usr/share/base-files",
    "usr/lib/*-linux-gnu/gconv",
)


@dataclass(frozen=True, kw_only=True)
class DebianRoot:
    """One bottom layer and how it is made."""

    title: str
    packages: Path
    """File with their names; dependencies are not followed."""
    unneeded: tuple[str, ...]
    """Patterns of what is left out beside manuals and the like."""
    finish: Callable[[Path], None]
    """Makes the last changes to the tree."""
    sources: tuple[str, ...]
    """Files with code that the layer follows from."""

    def layer(self, architecture: str) -> Layer:
        """Return the layer, made from the current Debian 12 packages when the cache has none of this recipe.

        Raises:
            PackageError: A package cannot be had, or one is missing from the list.
        """
        return make(self.title, self._key(architecture), lambda tree: self._fill(tree, architecture))

    def renew(self, architecture: str) -> None:
        """Forget the layer, so that the next image takes the Debian packages, and their security updates, of today."""
        forget(self._key(architecture))

    def _key(self, architecture: str) -> str:
        return hashlib.sha256(f"{architecture} {self._recipe()}".encode()).hexdigest()

    def _recipe(self) -> str:
        sources = (Path(__file__), Path(closure.__file__), self.packages, *map(Path, self.sources))
        return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()

    def _fill(self, tree: Path, architecture: str) -> str:
        names = debian.listed(self.packages)
        _make_skeleton(tree)
        say(f"  downloading {len(names)} Debian packages for {architecture}")
        with tempfile.TemporaryDirectory(prefix="kubevc-debs-") as scratch:
            for package in debian.download(names, architecture, Path(scratch)):
                debian.unpack(package, tree)
                _record(package, tree)
        for pattern in (*_UNNEEDED, *self.unneeded):
            _remove(tree, pattern)
        self.finish(tree)
        _require_closed(tree, self.packages)
        return " ".join([self._recipe(), *_versions(tree)])


def _require_closed(tree: Path, packages: Path) -> None:
    if missing := closure.missing(tree):
        raise PackageError(
            f"toolchain/images/{packages.name}",
            f"no package in it has what others need: {', '.join(missing)}",
            "a program of the image would fail, perhaps only when it loads that plug-in",
            "add the package (find it with: apt-file search LIBRARY), or leave out what needs it",
        )


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

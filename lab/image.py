"""Root trees that hosts start from: built once per content, kept in the cache, never written to by a host."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab import debian
from lab.cgroup import ControlGroup
from lab.command import run
from lab.lock import locked
from lab.paths import ROOM, lab_cache

_SCRIPTS = ROOM / "scripts"


@dataclass(frozen=True, kw_only=True)
class Image:
    """A root tree, or the difference of one to its parent's (an overlay layer)."""

    name: str
    packages: tuple[str, ...]
    parent: "Image | None" = None

    @property
    def script(self) -> Path:
        """The step that builds it."""
        return _SCRIPTS / ("extend-tree.sh" if self.parent else "build-base.sh")

    @property
    def files(self) -> Path:
        """The files of our own that are copied over it."""
        return ROOM / "trees" / self.name

    @property
    def finish(self) -> Path:
        """The step that runs within it at the end; there need be none."""
        return ROOM / "trees" / f"{self.name}.sh"

    def key(self) -> str:
        """Return what tells this content from any other: packages, files, step, archive, parent."""
        digest = hashlib.sha256(repr((self.packages, debian.SUITE, debian.mirrors())).encode())
        digest.update(self.parent.key().encode() if self.parent else b"")
        files = [self.script, *self.finish.parent.glob(self.finish.name), *self.files.rglob("*")]
        for file in sorted(path for path in files if not path.is_dir()):
            content = str(file.readlink()).encode() if file.is_symlink() else file.read_bytes()
            digest.update(b"%s\0%s\0" % (file.name.encode(), content))
        return digest.hexdigest()[:12]

    def folder(self) -> Path:
        """Return the image's place in the cache."""
        return lab_cache() / f"{self.name}-{self.key()}"

    def layers(self) -> tuple[Path, ...]:
        """Return the folders that overlaid make the root tree, uppermost first."""
        return (self.folder(), *(self.parent.layers() if self.parent else ()))

    def ready(self) -> bool:
        """Say whether it and its parents are in the cache."""
        return all(layer.is_dir() for layer in self.layers())

    def build(self, apt_proxy: str, group: ControlGroup) -> None:
        """Build it into the cache, its parent first; nothing happens where it is there.

        Args:
            apt_proxy: URL of the lab's apt cache.
            group: Where the work is done, so that it can be ended with all that it started.

        Raises:
            CommandError: A package cannot be had, or the disk is full.
        """
        if self.parent:
            self.parent.build(apt_proxy, group)
        lab_cache().mkdir(parents=True, exist_ok=True)
        with locked(lab_cache()):
            if not self.ready():
                self._build_aside(apt_proxy, group)

    def _build_aside(self, apt_proxy: str, group: ControlGroup) -> None:
        partial = self.folder().with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        for part in ("tree", "upper", "work"):
            (partial / part).mkdir(parents=True)
        # In a mount namespace of its own a build that is killed leaves no mount behind.
        step = ["unshare", "--mount", "--propagation", "slave", "bash", str(self.script)]
        run(
            group.entering(step),
            env=self._inputs(partial, apt_proxy),
            why=f"hosts start from the root tree {self.name!r}",
        )
        (partial / ("upper" if self.parent else "tree")).rename(self.folder())
        shutil.rmtree(partial)

    def _inputs(self, partial: Path, apt_proxy: str) -> dict[str, str]:
        mirrors = debian.mirrors()
        return {
            "PARTIAL": str(partial),
            "LAYERS": ":".join(str(layer) for layer in self.layers()[1:]),
            "PACKAGES": ("," if self.parent is None else " ").join(self.packages),
            "FILES": str(self.files),
            "FINISH": str(self.finish),
            "PROXY": apt_proxy,
            "SUITE": debian.SUITE,
            "MIRROR": mirrors.main,
            "SECURITY_MIRROR": mirrors.security,
        }


DEBIAN = Image(
    name="debian",
    packages=(
        *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "openssh-server", "ca-certificates", "curl"),
        *("iproute2", "iptables", "nftables"),
        # What the stand-in for the kernel's NFS client needs (docs/lab.md).
        *("python3", "fuse3", "libfuse3-3"),
    ),
)
"""Debian as an installer leaves it: ssh, apt, nothing of Kubernetes."""

BASE = Image(name="base", packages=(), parent=DEBIAN)
"""A bare host: Debian and the few files that a container of this machine needs."""

STORE = Image(name="store", packages=("nfs-ganesha", "nfs-ganesha-vfs"), parent=BASE)
"""A host that exports /export/models over NFS."""

IMAGES = {image.name: image for image in (BASE, STORE)}

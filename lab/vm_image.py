"""What virtual machines start from: a disk with Debian on it, its kernel, and the files to find the disk with."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from lab import architecture, debian
from lab.cgroup import ControlGroup
from lab.command import run
from lab.errors import InstanceError
from lab.identity import HostFile
from lab.initramfs import archive
from lab.lock import locked, locked_or_busy
from lab.paths import ROOM, lab_cache

_SCRIPTS = ROOM / "scripts"
_FILES = ROOM / "trees" / "vm"
_DISK_SIZE = "8G"
_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "udev", "kmod", "procps", "openssh-server", "ca-certificates", "curl"),
    *("iproute2", "iptables", "nftables", "busybox-static"),
)
_MOUNT_POINTS = ("/bin", "/dev", "/disk", "/identity", "/proc", "/sys")


@dataclass(frozen=True, kw_only=True)
class VmImage:
    """Debian with its own kernel for one architecture; built once per content, never written to by a host."""

    architecture: str

    @property
    def name(self) -> str:
        """What it is called in progress and errors."""
        return f"vm {self.architecture}"

    @property
    def disk(self) -> Path:
        """The root file system; hosts lay their own disk over it."""
        return self.folder() / "disk.img"

    @property
    def kernel(self) -> Path:
        """Debian's kernel."""
        return self.folder() / "vmlinuz"

    @property
    def initramfs(self) -> Path:
        """The first file system, which mounts the disk; a host's identity comes behind it."""
        return self.folder() / "initramfs.img"

    def key(self) -> str:
        """Return what tells this content from any other: packages, files, steps, archive."""
        digest = hashlib.sha256(repr((_PACKAGES, _DISK_SIZE, debian.SUITE, debian.mirrors())).encode())
        steps = [_SCRIPTS / name for name in ("build-vm.sh", "with-emulator.sh", "vm-init.sh")]
        for file in sorted(path for path in (*steps, *_FILES.rglob("*")) if path.is_file()):
            digest.update(b"%s\0%s\0" % (file.name.encode(), file.read_bytes()))
        return digest.hexdigest()[:12]

    def folder(self) -> Path:
        """Return the image's place in the cache."""
        return _home() / f"{self.architecture}-{self.key()}"

    def ready(self) -> bool:
        """Say whether it is in the cache."""
        return self.folder().is_dir()

    def build(self, apt_proxy: str, group: ControlGroup) -> None:
        """Build it into the cache; nothing happens where it is there.

        A foreign architecture takes minutes: its package scripts run under emulation.

        Args:
            apt_proxy: URL of the lab's apt cache.
            group: Where the work is done, so that it can be ended with all that it started.

        Raises:
            CommandError: A package cannot be had, the kernel has no binfmt_misc, or the disk is full.
        """
        _home().mkdir(parents=True, exist_ok=True)
        # Not the lock of the containers' images, which are ready in seconds and should not wait for this.
        with locked(_home()):
            if not self.ready():
                self._build_aside(apt_proxy, group)

    def _build_aside(self, apt_proxy: str, group: ControlGroup) -> None:
        partial = self.folder().with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        # In a mount namespace of its own a build that is killed leaves no mount behind.
        step = ["unshare", "--mount", "--propagation", "slave", "bash", str(_SCRIPTS / "build-vm.sh")]
        run(
            group.entering(step),
            env=self._inputs(partial, apt_proxy),
            why=f"virtual machines of architecture {self.architecture} start from it",
        )
        (partial / "result" / "initramfs.img").write_bytes(_initramfs(partial / "result"))
        (partial / "result").rename(self.folder())
        shutil.rmtree(partial)

    def _inputs(self, partial: Path, apt_proxy: str) -> dict[str, str]:
        mirrors = debian.mirrors()
        foreign = self.architecture != architecture.own()
        return {
            "PARTIAL": str(partial),
            "ARCHITECTURE": self.architecture,
            "EMULATOR": f"{_SCRIPTS / 'with-emulator.sh'} {self.architecture}" if foreign else "",
            "SUITE": debian.SUITE,
            "MIRROR": mirrors.main,
            "SECURITY_MIRROR": mirrors.security,
            "PACKAGES": ",".join(_PACKAGES),
            "FILES": str(_FILES),
            "DISK_SIZE": _DISK_SIZE,
            "PROXY": apt_proxy,
        }


def forget_emulators() -> None:
    """Remove from the kernel what a killed build has registered there, unless a build is at work now."""
    if not _home().is_dir():
        return
    try:
        with locked_or_busy(_home()):
            step = ["unshare", "--mount", "--propagation", "slave", str(_SCRIPTS / "forget-emulators.sh")]
            run(step, why="no trace of the lab may stay in the kernel")
    except InstanceError:
        return


def _home() -> Path:
    return lab_cache() / "vm"


def _initramfs(result: Path) -> bytes:
    modules = {f"/modules/{file.name}": HostFile(file.read_bytes()) for file in (result / "modules").iterdir()}
    return archive(
        {
            "/init": HostFile((_SCRIPTS / "vm-init.sh").read_bytes(), 0o755),
            "/bin/busybox": HostFile((result / "busybox").read_bytes(), 0o755),
            **modules,
        },
        dict.fromkeys(_MOUNT_POINTS, 0o755),
    )

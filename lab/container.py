"""A host as a container: systemd-nspawn with its own init, over an overlay of a root tree."""

import shutil
import subprocess
from pathlib import Path

from lab.cgroup import unified
from lab.host import Host
from lab.identity import HostFile, mount_helper
from lab.image import Image
from lab.paths import ROOM

_DISKS = {"base": ("/var",), "store": ("/var", "/export")}
_PROPAGATION = Path("/run/systemd/nspawn/propagate")


class ContainerHost(Host):
    """A Debian host that shares this machine's kernel; it is up in seconds."""

    kind = "container"

    @property
    def root_image(self) -> Image:
        """Return the root tree that it starts from."""
        return self.plan.image

    @classmethod
    def programs(cls, architecture: str) -> dict[str, str]:
        """Return nothing: what containers need, every lab does."""
        return {}

    def create(self) -> None:
        """Make the folder for all that the host will write, with the files that make it this host."""
        if self._whole().exists():
            return
        self.wipe()
        for part in ("upper", "work", "root"):
            (self.plan.folder / part).mkdir(parents=True)
        for path, file in {**self.plan.identity, **mount_helper()}.items():
            self._write(path, file)
        self._whole().write_text(":".join(str(layer) for layer in self.plan.image.layers()))

    def boot(self) -> None:
        """Start the host in its own control groups and network namespace."""
        self.require_off()
        plan = self.plan
        plan.group.create(plan.limits)
        plan.network.attach(plan.name, plan.address)
        boot = ["unshare", "--mount", "--propagation", "slave", str(ROOM / "scripts" / "boot-container.sh")]
        with (plan.folder / "console.log").open("ab") as console:
            subprocess.Popen(
                plan.group.entering(boot),
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **self._inputs()},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End all processes; mounts of the host and of its pods end with its mount namespace."""
        self.plan.group.kill()
        self.plan.group.remove()
        shutil.rmtree(_PROPAGATION / self._machine(), ignore_errors=True)

    def wipe(self) -> None:
        """Remove all that the host has written."""
        self.require_off()
        shutil.rmtree(self.plan.folder, ignore_errors=True)

    def _inputs(self) -> dict[str, str]:
        plan = self.plan
        return {
            "HOST": plan.name,
            "FOLDER": str(plan.folder),
            "LAYERS": self._whole().read_text(),
            "NAMESPACE": plan.network.namespace(plan.name),
            "MACHINE": self._machine(),
            "DISKS": " ".join(_DISKS[plan.image.name]),
            "UNIFIED": "1" if unified() else "0",
        }

    def _machine(self) -> str:
        return self.plan.network.namespace(self.plan.name)

    def _whole(self) -> Path:
        """Return the mark of a folder that was written to its end; it names the layers that it lies over."""
        return self.plan.folder / "created"

    def _write(self, path: str, file: HostFile) -> None:
        place = self.plan.folder / "upper"
        for part in Path(path).parts[1:-1]:
            place = place / part
            # The overlay takes a folder's mode from here, not from the root tree, and these two are root's alone.
            place.mkdir(mode=0o700 if part in ("root", ".ssh") else 0o755, exist_ok=True)
        place = place / Path(path).name
        place.write_bytes(file.content)
        place.chmod(file.mode)

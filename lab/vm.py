"""A host as a virtual machine: qemu with Debian's own kernel, of this or another architecture."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from pathlib import Path

from lab.architecture import own as own_architecture
from lab.cgroup import Limits
from lab.command import run
from lab.host import Host
from lab.identity import HostFile
from lab.initramfs import archive
from lab.paths import ROOM
from lab.vm_image import VmImage

_TRANSLATED_MIB = 512
"""Memory in which qemu keeps the programs that it has translated."""
_QEMU_MIB = 512
"""Memory of qemu itself, beside that and the machine's own."""


@dataclass(frozen=True, kw_only=True)
class _Hardware:
    """The machine that qemu makes for an architecture."""

    program: str
    package: str
    user_mode: str
    """Runs single programs of the architecture on another one; the image is built with it."""
    options: tuple[str, ...]
    console: str


_HARDWARE = {
    "amd64": _Hardware(
        program="qemu-system-x86_64",
        package="qemu-system-x86",
        user_mode="qemu-x86_64-static",
        options=("-machine", "q35", "-cpu", "max"),
        console="ttyS0",
    ),
    "arm64": _Hardware(
        program="qemu-system-aarch64",
        package="qemu-system-arm",
        user_mode="qemu-aarch64-static",
        # Signed pointers of the real algorithm cost more time than all else that is emulated.
        options=("-machine", "virt", "-cpu", "max,pauth-impdef=on"),
        console="ttyAMA0",
    ),
}
_PROGRAMS = {"mke2fs": "e2fsprogs", "qemu-img": "qemu-utils", "depmod": "kmod"}
_JOIN_BRIDGE = ROOM / "scripts" / "join-bridge.sh"


class VmHost(Host):
    """A Debian host with a kernel, a disk and a processor of its own; it is up in half a minute or more."""

    kind = "vm"
    boot_seconds = 600
    greeting_seconds = 10

    @cached_property
    def root_image(self) -> VmImage:
        """Return the disk and kernel that it starts from."""
        return VmImage(architecture=self.plan.architecture)

    @classmethod
    def programs(cls, architecture: str) -> dict[str, str]:
        """Return qemu for the architecture, and what the image is built with."""
        hardware = _HARDWARE[architecture]
        user_mode = {hardware.user_mode: "qemu-user-static"} if architecture != own_architecture() else {}
        return {**_PROGRAMS, hardware.program: hardware.package, **user_mode}

    def create(self) -> None:
        """Lay an empty disk over the image's, and put the files that make it this host behind its initramfs."""
        if self._whole().exists():
            return
        self.wipe()
        self.plan.folder.mkdir(parents=True)
        image = self.root_image
        over = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(image.disk), "-F", "raw", str(self._disk())]
        run(over, why=f"host {self.plan.name} has no disk without it")
        self._initramfs().touch(mode=0o600)
        self._initramfs().write_bytes(image.initramfs.read_bytes() + self._identity())
        # A host keeps to the kernel that it was made with, also when there is a newer image.
        self._whole().write_text(str(image.kernel))

    def boot(self) -> None:
        """Start qemu in the host's own control groups."""
        self.require_off()
        plan = self.plan
        memory = plan.limits.memory_mib + _TRANSLATED_MIB + _QEMU_MIB
        plan.group.create(Limits(cpus=plan.limits.cpus, memory_mib=memory))
        with self._console().open("ab") as console:
            subprocess.Popen(
                plan.group.entering(self._command()),
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "BRIDGE": plan.network.bridge},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End qemu; the port on the bridge ends with it."""
        self.plan.group.kill()
        self.plan.group.remove()

    def wipe(self) -> None:
        """Remove the disk."""
        self.require_off()
        shutil.rmtree(self.plan.folder, ignore_errors=True)

    def _command(self) -> list[str]:
        plan, hardware = self.plan, _HARDWARE[self.plan.architecture]
        cpus = min(ceil(plan.limits.cpus), os.cpu_count() or 1)
        return [
            *(hardware.program, "-nodefaults", "-no-user-config", "-display", "none", *hardware.options),
            *("-accel", f"tcg,thread=multi,tb-size={_TRANSLATED_MIB}"),
            *("-smp", str(cpus), "-m", str(plan.limits.memory_mib)),
            *("-kernel", self._whole().read_text(), "-initrd", str(self._initramfs())),
            *("-append", f"console={hardware.console} root=/dev/vda rw"),
            # A lab host's disk need not outlive a power cut of this machine.
            *("-drive", f"file={self._disk()},if=none,id=disk,format=qcow2,cache=unsafe,discard=unmap"),
            *("-device", "virtio-blk-pci,drive=disk"),
            *("-netdev", f"tap,id=net,ifname={plan.network.port(plan.name)},script={_JOIN_BRIDGE},downscript=no"),
            # The empty romfile: nobody starts this machine over the network, and the file is in another package.
            *("-device", f"virtio-net-pci,netdev=net,mac={plan.network.mac(plan.address)},romfile="),
            *("-device", "virtio-rng-pci"),
            *("-chardev", f"file,id=console,path={self._console()},append=on", "-serial", "chardev:console"),
        ]

    def _identity(self) -> bytes:
        files = {**self.plan.identity, "/etc/systemd/network/10-lab.network": self._address()}
        private = {"/identity/root": 0o700, "/identity/root/.ssh": 0o700}
        return archive({f"/identity{path}": file for path, file in files.items()}, private)

    def _address(self) -> HostFile:
        network, address = self.plan.network, self.plan.address
        # By the hardware address: the ends of pods' links are Ethernet too, and the pods' network is not ours.
        match = f"[Match]\nMACAddress={network.mac(address)}\n"
        own = f"[Network]\nAddress={address}/{network.subnet.prefixlen}\nGateway={network.gateway}\n"
        return HostFile(f"{match}\n{own}LinkLocalAddressing=no\n".encode())

    def _disk(self) -> Path:
        return self.plan.folder / "disk.qcow2"

    def _initramfs(self) -> Path:
        return self.plan.folder / "initramfs.img"

    def _console(self) -> Path:
        return self.plan.folder / "console.log"

    def _whole(self) -> Path:
        """Return the mark of a folder that was written to its end; it names the kernel."""
        return self.plan.folder / "created"

"""What this machine must have to carry a lab."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab.cgroup import hierarchies
from lab.errors import MachineError
from lab.paths import STATE, lab_cache

_PACKAGES = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "unshare": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
}
_NEEDED_GIB = 4


def check(programs: Mapping[str, str] | None = None) -> None:
    """Refuse a machine that cannot carry a lab, with all that is missing at once.

    Args:
        programs: What the kinds of hosts need beside the programs that every lab needs, each with its Debian package.

    Raises:
        MachineError: Something is missing.
    """
    require_root()
    missing = [*_programs({**_PACKAGES, **(programs or {})}), *_kernel(), *_control_groups(), *_space()]
    if missing:
        found = "\n    ".join(["is missing:", *(what for what, _ in missing)])
        remedy = "\n    ".join(dict.fromkeys(remedy for _, remedy in missing))
        raise MachineError("this machine", found, "the lab's hosts cannot start without", remedy)


def require_root() -> None:
    """Refuse everybody else.

    Raises:
        MachineError: You are not root.
    """
    if os.geteuid() != 0:
        raise MachineError(
            "this machine",
            "you are not root",
            "only root can start containers and networks, and only root may have the hosts' keys",
            "run it as root: sudo -E .venv/bin/python -m lab VERB",
        )


def _programs(wanted: Mapping[str, str]) -> list[tuple[str, str]]:
    absent = [program for program in wanted if shutil.which(program) is None]
    packages = " ".join(dict.fromkeys(wanted[program] for program in absent))
    return [(f"program {program}", f"apt-get install --yes {packages}") for program in absent]


def _kernel() -> list[tuple[str, str]]:
    use = "use a kernel with"
    tests = {
        "overlay file systems (CONFIG_OVERLAY_FS)": _file_system("overlay"),
        "FUSE (CONFIG_FUSE_FS, /dev/fuse)": _file_system("fuse") and Path("/dev/fuse").exists(),
        "network bridges (CONFIG_BRIDGE)": _link("bridge"),
        "virtual Ethernet (CONFIG_VETH)": _link("veth"),
    }
    return [(f"kernel feature {feature}", f"{use} {feature}") for feature, there in tests.items() if not there]


def _file_system(name: str) -> bool:
    known = Path("/proc/filesystems")
    if name not in known.read_text().split() and shutil.which("modprobe"):
        subprocess.run(["modprobe", "--quiet", name], check=False)
    return name in known.read_text().split()


def _link(kind: str) -> bool:
    """Say whether the kernel can make a link of this kind, by making one where nobody sees it."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return True  # These are reported as missing programs.
    probe = ["unshare", "--net", "ip", "link", "add", "name", "probe", "type", kind]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def _control_groups() -> list[tuple[str, str]]:
    there = " ".join(str(path) for path in hierarchies())
    controllers = Path("/sys/fs/cgroup/cgroup.controllers")
    there += controllers.read_text() if controllers.exists() else ""
    absent = [name for name in ("cpu", "memory", "pids") if name not in there]
    return [
        (f"cgroup controller {name}", "mount the cgroup controllers, as any systemd machine does") for name in absent
    ]


def _space() -> list[tuple[str, str]]:
    short: list[tuple[str, str]] = []
    for folder in (STATE, lab_cache()):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free / 2**30
        if free < _NEEDED_GIB:
            short.append((f"disk space at {folder}: {free:.1f} of {_NEEDED_GIB} GiB", f"free some space at {folder}"))
    return short

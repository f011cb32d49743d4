"""Control groups of a lab: they limit a host, and find and end every process of it, on v1 and v2 machines."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lab.errors import HostError
from lab.paths import ROOM

ROOT = "kubevc-lab"
_ENTER = ROOM / "scripts" / "enter-group.sh"
_V2_CONTROLLERS = ("cpu", "cpuset", "io", "memory", "pids")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What the processes of a group may use together."""

    cpus: float
    memory_mib: int


def unified() -> bool:
    """Say whether this machine has cgroup v2 only."""
    return Path("/sys/fs/cgroup/cgroup.controllers").exists()


def hierarchies() -> list[Path]:
    """Return the mount point of every cgroup hierarchy; on a v1 machine the v2 tree beside it too.

    Without a group of its own in that tree systemd-nspawn puts all hosts into one.
    """
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    return list(dict.fromkeys(Path(mount[1]) for mount in mounts if mount[2] in ("cgroup", "cgroup2")))


@dataclass(frozen=True)
class ControlGroup:
    """The group of an instance or of one of its hosts, in every hierarchy at once."""

    path: str
    """Below `kubevc-lab`, such as `edge-lab/cp1`; empty for the groups of all instances."""

    def folders(self) -> list[Path]:
        """Return the group's folder in every hierarchy, whether it is there or not."""
        return [hierarchy / ROOT / self.path for hierarchy in hierarchies()]

    def entering(self, command: Sequence[str]) -> list[str]:
        """Return the command line that runs a program within the group, which must be there."""
        entrances = [str(folder / "cgroup.procs") for folder in self.folders()]
        return [str(_ENTER), *entrances, "--", *command]

    def create(self, limits: Limits | None = None) -> None:
        """Make the group in every hierarchy and set its limits."""
        for hierarchy in hierarchies():
            folder = hierarchy / ROOT
            _make(folder)
            for part in Path(self.path).parts:
                _delegate(folder)
                folder = folder / part
                _make(folder)
            if limits is not None:
                _limit(folder, limits)

    def inner(self) -> Iterator[Path]:
        """Yield every folder of the group, innermost first, and itself last."""
        for top in self.folders():
            for folder, _, _ in os.walk(top, topdown=False):
                yield Path(folder)

    def processes(self) -> set[int]:
        """Return the ids of all processes in the group and in the groups within it."""
        found: set[int] = set()
        for folder in self.inner():
            with suppress(OSError):
                found.update(int(line) for line in (folder / "cgroup.procs").read_text().split())
        return found - {0}

    def kill(self, timeout_seconds: float = 10) -> None:
        """End all processes of the group at once.

        Raises:
            HostError: Some are still there after the timeout (blocked in the kernel).
        """
        deadline = time.monotonic() + timeout_seconds
        while left := self.processes():
            for process in left:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            if time.monotonic() > deadline:
                raise self._stuck(left)
            time.sleep(0.05)

    def remove(self, timeout_seconds: float = 5) -> None:
        """Remove the group, which must be empty; nothing happens where it is not there.

        Raises:
            HostError: The kernel still holds it after the timeout.
        """
        deadline = time.monotonic() + timeout_seconds
        while folders := list(self.inner()):
            for folder in folders:
                with suppress(OSError):
                    folder.rmdir()
            if time.monotonic() > deadline:
                raise self._stuck(self.processes())
            if folders:
                time.sleep(0.01)

    def _stuck(self, processes: set[int]) -> HostError:
        return HostError(
            f"control group {ROOT}/{self.path}",
            f"does not end; processes left: {sorted(processes) or 'none'}",
            "the host is not gone, so neither its files nor its network can go",
            "look at them with ps -o pid,stat,wchan,args -p PID, then: python -m lab down",
        )


def _make(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    # A new v1 cpuset is empty and takes no process before it has CPUs and memory nodes.
    for name in ("cpuset.cpus", "cpuset.mems"):
        file = folder / name
        if (folder.parent / "tasks").exists() and file.exists() and not file.read_text().strip():
            file.write_text((folder.parent / name).read_text())


def _delegate(folder: Path) -> None:
    """Let the groups within a v2 group have controllers."""
    switch = folder / "cgroup.subtree_control"
    for target in (folder.parent / switch.name, switch):
        for controller in _V2_CONTROLLERS if target.exists() else ():
            with suppress(OSError):
                target.write_text(f"+{controller}")


def _limit(folder: Path, limits: Limits) -> None:
    memory = str(limits.memory_mib * 1024 * 1024)
    _write(folder / "memory.limit_in_bytes", memory)
    _write(folder / "memory.max", memory)
    # A quota of the whole machine or more would only make the kubelet's own, smaller quotas harder to set.
    if limits.cpus < (os.cpu_count() or 1):
        quota = int(limits.cpus * 100_000)
        _write(folder / "cpu.cfs_period_us", "100000")
        _write(folder / "cpu.cfs_quota_us", str(quota))
        _write(folder / "cpu.max", f"{quota} 100000")


def _write(file: Path, text: str) -> None:
    if file.exists():
        file.write_text(text)

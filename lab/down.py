"""Take an instance away without a trace, whatever state it is in."""

import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

from lab import inotify, network
from lab.cgroup import ControlGroup
from lab.instance import InstanceFolder
from lab.lock import locked, locked_or_busy
from lab.paths import STATE
from lab.progress import step
from lab.vm_image import forget_emulators

_PROPAGATION = Path("/run/systemd/nspawn/propagate")


def down(folder: InstanceFolder) -> None:
    """End and remove all that carries the instance's name: it works from what it finds, not from what was written.

    So it also clears up after a `lab up` that was killed.

    Raises:
        InstanceError: Another checkout owns the instance, or another command works on it.
        HostError: A process of it does not end.
    """
    folder.refuse_other_owner()
    with locked_or_busy(folder.path), step(f"lab {folder.name} down"):
        folder.group.kill()
        folder.group.remove()
        forget_emulators()
        network.remove(folder.name)
        for leftover in _PROPAGATION.glob(f"lab.{folder.name}.*"):
            shutil.rmtree(leftover, ignore_errors=True)
        _unmount_below(folder.path)
        shutil.rmtree(folder.path)
    with locked(STATE):
        _remove_if_last()


def _unmount_below(path: Path) -> None:
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if Path(mount).is_relative_to(path)]):
        subprocess.run(["umount", "--lazy", mount], check=False)


def _remove_if_last() -> None:
    """Remove what all labs share when no lab is left."""
    if any(STATE.glob("*/definition.json")):
        return
    inotify.restore_limit()
    for group in ControlGroup("").folders():
        with suppress(OSError):
            group.rmdir()

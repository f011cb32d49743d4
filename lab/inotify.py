"""The kernel's limit of inotify instances, which all hosts of all labs on a machine share.

Each host's root is the machine's root to this limit. Its default of 128 is enough for one lab with a cluster; beside a
second one an agent ends with "inotify_init: too many open files". The limit is raised for the first lab and put back
after the last.
"""

from pathlib import Path

from lab.paths import STATE

LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
BEFORE = STATE / "inotify-instances-before"
NEEDED = 1024


def raise_limit() -> None:
    """Raise the limit if it is too low, and write down what it was."""
    found = int(LIMIT.read_text())
    if found < NEEDED:
        BEFORE.write_text(f"{found}\n")
        LIMIT.write_text(f"{NEEDED}\n")


def restore_limit() -> None:
    """Put the limit back to what it was before the first lab; nothing happens where it was not raised."""
    if BEFORE.exists():
        LIMIT.write_text(BEFORE.read_text())
        BEFORE.unlink()

"""Accounts: what the kernel counted for a control group, on machines of cgroup v1 and v2."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.trial import TrialFailed


class NoAccount(TrialFailed):
    """A control group has no account; the text says where, what was found, why it matters and what to do."""

    def __init__(self, folders: Sequence[Path], what: str) -> None:
        shown = ", ".join(map(str, folders)) or "no folder"
        super().__init__(
            f"{shown}: no {what} is counted here\n"
            "  why it matters: what the host or pod uses cannot be told\n"
            "  what to do: see that it still runs (python -m lab status --name NAME), then measure again"
        )


@dataclass(frozen=True)
class Use:
    """What all processes of a group use."""

    cpu_seconds: float
    """Since the group was made."""
    memory_bytes: int
    """Its working set now: without file pages that nobody has used for a while, as the kubelet counts it."""

    def __add__(self, other: Use) -> Use:
        return Use(self.cpu_seconds + other.cpu_seconds, self.memory_bytes + other.memory_bytes)


NOTHING = Use(0, 0)


def use(folders: Sequence[Path]) -> Use:
    """Read a group's account.

    Args:
        folders: The group's folder in every hierarchy.

    Raises:
        NoAccount: None of them counts CPU or memory, or the group is gone.
    """
    return Use(_cpu_seconds(folders), _memory_bytes(folders))


def pods(folders: Iterable[Path], uids: Iterable[str]) -> list[list[Path]]:
    """Return the groups of a host's pods: for each pod that has one its folder in every hierarchy.

    Args:
        folders: The host's own folders.
        uids: Of the pods. The kubelet names their groups `pod<uid>`, or with its systemd driver
            `kubepods-<class>-pod<uid>.slice` with underscores.
    """
    within = [Path(place, name) for top in folders for place, names, _ in os.walk(top) for name in names]
    found = [[folder for folder in within if _is_of(folder.name, uid)] for uid in uids]
    return [pod for pod in found if pod]


def _is_of(name: str, uid: str) -> bool:
    return name.removesuffix(".slice").replace("_", "-").endswith(f"pod{uid}")


def _cpu_seconds(folders: Sequence[Path]) -> float:
    for folder in folders:
        if (nanoseconds := _read(folder / "cpuacct.usage")) is not None:
            return int(nanoseconds) / 1e9
    for folder in folders:
        if (microseconds := _value(folder / "cpu.stat", "usage_usec")) is not None:
            return microseconds / 1e6
    raise NoAccount(folders, "CPU")


def _memory_bytes(folders: Sequence[Path]) -> int:
    for folder in folders:
        for usage, unused in (("memory.usage_in_bytes", "total_inactive_file"), ("memory.current", "inactive_file")):
            if (held := _read(folder / usage)) is not None:
                return max(0, int(held) - (_value(folder / "memory.stat", unused) or 0))
    raise NoAccount(folders, "memory")


def _value(file: Path, name: str) -> int | None:
    """Return one of the lines `NAME VALUE` of a file."""
    lines = (line.split() for line in (_read(file) or "").splitlines())
    return next((int(words[1]) for words in lines if words[0] == name), None)


def _read(file: Path) -> str | None:
    try:
        return file.read_text()
    except OSError:
        return None

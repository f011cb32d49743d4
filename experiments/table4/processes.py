"""Processes: what each of a host's uses, as /proc tells it from outside of the host."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_NAME_LENGTH = 15
"""The kernel keeps no more of a process's name."""


@dataclass(frozen=True)
class Process:
    """One process with all its threads."""

    name: str
    cpu_seconds: float
    """Since it was started."""
    resident_bytes: int
    """Pages in memory; those that several processes share count for each."""


Processes = Mapping[int, Process]


def processes(ids: Iterable[int], proc: Path = _PROC) -> Processes:
    """Read processes; one that has ended meanwhile is left out."""
    found: dict[int, Process] = {}
    for number in ids:
        with suppress(FileNotFoundError, ProcessLookupError):
            found[number] = _parse((proc / str(number) / "stat").read_text())
    return found


def _parse(stat: str) -> Process:
    """Return what a line of /proc/PID/stat says (proc(5)); the name is in brackets and may hold any sign."""
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    cpu_ticks = int(fields[11]) + int(fields[12])
    return Process(name, cpu_ticks / _TICKS_PER_SECOND, int(fields[21]) * _PAGE_BYTES)


def named(all_of_host: Processes, names: Iterable[str]) -> Processes:
    """Return the processes that have one of the names."""
    known = {name[:_NAME_LENGTH] for name in names}
    return {number: process for number, process in all_of_host.items() if process.name in known}


def cpu_seconds_between(before: Processes, after: Processes) -> float:
    """Return what the later processes used since the earlier reading; what ended in between is not known."""
    return sum(
        process.cpu_seconds - (before[number].cpu_seconds if number in before else 0)
        for number, process in after.items()
    )


def resident_bytes(of: Processes) -> int:
    """Return the resident memory of processes together."""
    return sum(process.resident_bytes for process in of.values())

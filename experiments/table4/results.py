"""Results: what the samples say, beside the bare host and beside the paper."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from experiments.paper import COUNTED_IN_TABLE_4, TABLE_4
from experiments.quartiles import Quartiles, short
from experiments.table4.idle import COUNTED, HOST, MEBIBYTE, PARTS, PODS, IdleHost, Reading, Sample, samples
from experiments.table4.processes import cpu_seconds_between, named, resident_bytes
from experiments.tables import Table

BARE, CLUSTER = "bare host, before", "cluster: whole - bare - pods"
SHOWN_PROCESSES = 8


@dataclass(frozen=True, kw_only=True)
class Idle:
    """One idle host: what it used bare, and what it used with the site on it."""

    distribution: str
    host: IdleHost
    bare: Sequence[Reading]
    with_site: Sequence[Reading]

    @property
    def node(self) -> str:
        """Return what the node is called in tables."""
        return f"{self.distribution} {self.host.role}"

    def samples(self) -> list[Sample]:
        """Return what was used with the site on it."""
        return samples(self.with_site, self.distribution, self.host.role)

    def bare_samples(self) -> list[Sample]:
        """Return what was used before."""
        return samples(self.bare, self.distribution, self.host.role)

    def unseen(self) -> list[str]:
        """Return which of the processes that the paper counted never ran here: their sum is then of the others."""
        names = COUNTED_IN_TABLE_4[self.distribution][self.host.role]
        return [name for name in names if not any(named(reading.processes, [name]) for reading in self.with_site)]


@dataclass(frozen=True, kw_only=True)
class Series:
    """CPU (per cent of one core) and memory (MiB) of one part of one node, sample by sample."""

    part: str
    cpu: Sequence[float]
    memory: Sequence[float]


def series(idle: Idle) -> list[Series]:
    """Return a node's parts: the bare host, the whole, the site's pods, the rest of it, and what the paper counted."""
    bare, whole = (_series(found, HOST) for found in (idle.bare_samples(), idle.samples()))
    pods, counted = (_series(idle.samples(), part) for part in (PODS, COUNTED))
    bare_cpu, bare_memory = statistics.mean(bare.cpu), Quartiles.of(bare.memory).median
    cluster = Series(
        part=CLUSTER,
        cpu=[all_of_it - own - bare_cpu for all_of_it, own in zip(whole.cpu, pods.cpu, strict=True)],
        memory=[all_of_it - own - bare_memory for all_of_it, own in zip(whole.memory, pods.memory, strict=True)],
    )
    return [Series(part=BARE, cpu=bare.cpu, memory=bare.memory), whole, pods, cluster, counted]


def _series(found: Sequence[Sample], part: str) -> Series:
    return Series(
        part=part,
        cpu=[sample.cpu_percent[part] for sample in found],
        memory=[sample.memory_mib[part] for sample in found],
    )


def use_table(nodes: Sequence[Idle]) -> Table:
    """Return every part of every node beside the paper's cells."""
    columns = ("node", "what", "CPU, % of a core: mean", "median (quartiles)", "mean, % of the host")
    table = Table("Idle use: of the samples", (*columns, "memory, MiB", "paper: CPU %", "paper: MB"))
    for idle in nodes:
        paper = TABLE_4[idle.distribution][idle.host.role]
        for part in series(idle):
            mean = statistics.mean(part.cpu)
            told = (f"{paper.cpu_percent:g}", f"{paper.memory_mb:g}") if part.part == COUNTED else ("", "")
            cpu = (short(mean), str(Quartiles.of(part.cpu)), short(mean / idle.host.cpus))
            table.add(idle.node, part.part, *cpu, str(Quartiles.of(part.memory)), *told)
    return table


def samples_table(nodes: Sequence[Idle]) -> Table:
    """Return every sample of every node."""
    table = Table("Samples", ("node", "what", "second", "CPU, % of a core", "memory, MiB"))
    for idle in nodes:
        rows = [(BARE, HOST, sample) for sample in idle.bare_samples()]
        rows += [(part, part, sample) for sample in idle.samples() for part in PARTS]
        for what, part, sample in rows:
            values = (f"{sample.cpu_percent[part]:.3f}", f"{sample.memory_mib[part]:.2f}")
            table.add(idle.node, what, f"{sample.second:.1f}", *values)
    return table


def processes_table(nodes: Sequence[Idle]) -> Table:
    """Return the largest processes of every node, those of one name together."""
    title = f"Processes: the {SHOWN_PROCESSES} largest of each node over the whole time"
    table = Table(title, ("node", "name", "processes", "CPU, % of a core", "resident, MiB"))
    for idle in nodes:
        for row in _largest(idle.with_site[0], idle.with_site[-1]):
            table.add(idle.node, *row)
    return table


def _largest(first: Reading, last: Reading) -> Iterator[tuple[str, int, str, str]]:
    groups = {name: named(last.processes, [name]) for name in {process.name for process in last.processes.values()}}
    for name, group in sorted(groups.items(), key=lambda item: -resident_bytes(item[1]))[:SHOWN_PROCESSES]:
        percent = cpu_seconds_between(first.processes, group) / (last.at - first.at) * 100
        yield name, len(group), short(percent), short(resident_bytes(group) / MEBIBYTE)

"""Results: what the repeats say, beside the bare host and beside the paper."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
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
    """One idle host in one repeat: what it used bare, and what it used with the site on it."""

    number: int
    """Of the repeat."""
    host: IdleHost
    bare: Sequence[Reading]
    with_site: Sequence[Reading]

    def samples(self) -> list[Sample]:
        """Return what was used with the site on it."""
        return samples(self.with_site, self.host)

    def bare_samples(self) -> list[Sample]:
        """Return what was used before."""
        return samples(self.bare, self.host)

    def unseen(self) -> set[str]:
        """Return which of the processes that the paper counted never ran here: their sum is then of the others."""
        names = COUNTED_IN_TABLE_4[self.host.distribution][self.host.role]
        return {name for name in names if not any(named(reading.processes, [name]) for reading in self.with_site)}


def by_node(idles: Iterable[Idle]) -> dict[str, list[Idle]]:
    """Return the repeats of each node."""
    found: dict[str, list[Idle]] = {}
    for idle in idles:
        found.setdefault(idle.host.node, []).append(idle)
    return found


@dataclass(frozen=True, kw_only=True)
class MeasuredUse:
    """What a part used in one repeat."""

    cpu: float
    """Mean of the samples, in per cent of one core."""
    memory: float
    """Median of the samples, in MiB."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of one node, repeat by repeat."""

    name: str
    uses: Sequence[MeasuredUse]

    @property
    def cpu(self) -> Quartiles:
        """Return the repeats' CPU, in per cent of one core."""
        return Quartiles.of(use.cpu for use in self.uses)

    @property
    def memory(self) -> Quartiles:
        """Return the repeats' memory, in MiB."""
        return Quartiles.of(use.memory for use in self.uses)


def parts(repeats: Sequence[Idle]) -> list[Part]:
    """Return a node's parts: the bare host, the whole, the site's pods, the rest of it, and what the paper counted."""
    found = [_uses(idle) for idle in repeats]
    return [Part(name=name, uses=[uses[name] for uses in found]) for name in found[0]]


def _uses(idle: Idle) -> dict[str, MeasuredUse]:
    bare = _use(idle.bare_samples(), HOST)
    whole, pods, counted = (_use(idle.samples(), part) for part in (HOST, PODS, COUNTED))
    cluster = MeasuredUse(cpu=whole.cpu - pods.cpu - bare.cpu, memory=whole.memory - pods.memory - bare.memory)
    return {BARE: bare, HOST: whole, PODS: pods, CLUSTER: cluster, COUNTED: counted}


def _use(found: Sequence[Sample], part: str) -> MeasuredUse:
    return MeasuredUse(
        cpu=statistics.mean(sample.cpu_percent[part] for sample in found),
        memory=statistics.median(sample.memory_mib[part] for sample in found),
    )


def use_table(idles: Sequence[Idle]) -> Table:
    """Return every part of every node beside the paper's cells."""
    columns = ("node", "what", "CPU, % of a core", "median, % of the host", "memory, MiB", "paper: CPU %", "paper: MB")
    table = Table("Idle use: median (quartiles) of the repeats", columns)
    for node, repeats in by_node(idles).items():
        host = repeats[0].host
        paper = TABLE_4[host.distribution][host.role]
        for part in parts(repeats):
            told = (f"{paper.cpu_percent:g}", f"{paper.memory_mb:g}") if part.name == COUNTED else ("", "")
            of_host = short(part.cpu.median / host.cpus)
            table.add(node, part.name, str(part.cpu), of_host, str(part.memory), *told)
    return table


def samples_table(idles: Sequence[Idle]) -> Table:
    """Return every sample of every node."""
    table = Table("Samples", ("repeat", "node", "what", "second", "CPU, % of a core", "memory, MiB"))
    for idle in idles:
        rows = [(BARE, HOST, sample) for sample in idle.bare_samples()]
        rows += [(part, part, sample) for sample in idle.samples() for part in PARTS]
        for what, part, sample in rows:
            values = (f"{sample.cpu_percent[part]:.3f}", f"{sample.memory_mib[part]:.2f}")
            table.add(idle.number, idle.host.node, what, f"{sample.second:.1f}", *values)
    return table


def processes_table(idles: Sequence[Idle]) -> Table:
    """Return the largest processes of every node in the last repeat, those of one name together."""
    title = f"Processes: the {SHOWN_PROCESSES} largest of each node, over the whole time of the last repeat"
    table = Table(title, ("node", "name", "processes", "CPU, % of a core", "resident, MiB"))
    for node, repeats in by_node(idles).items():
        for row in _largest(repeats[-1].with_site[0], repeats[-1].with_site[-1]):
            table.add(node, *row)
    return table


def _largest(first: Reading, last: Reading) -> Iterator[tuple[str, int, str, str]]:
    groups = {name: named(last.processes, [name]) for name in {process.name for process in last.processes.values()}}
    for name, group in sorted(groups.items(), key=lambda item: -resident_bytes(item[1]))[:SHOWN_PROCESSES]:
        percent = cpu_seconds_between(first.processes, group) / (last.at - first.at) * 100
        yield name, len(group), short(percent), short(resident_bytes(group) / MEBIBYTE)

"""Results: the runs, and what they say beside the paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from experiments.goals import Goal, at_most
from experiments.paper import K3S, KUBEADM, TABLE_3
from experiments.phases import ORDER, Span
from experiments.quartiles import Quartiles, short
from experiments.tables import Table

IN_ALL = "in all"
STEPS = ("environment", "initialise", "join", "endpoint", "framework", "monitoring", "answer", IN_ALL)
"""The paper's steps in its order, with ours that it has not before the sum."""
WANTED_SECONDS = {K3S: 75, KUBEADM: 110}
"""The goals: from bare hosts to the answered picture."""
Measured = Mapping[str, Mapping[str, Sequence[float]]]
"""Per distribution and step the seconds of all runs."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One site, from bare hosts to the answered picture."""

    number: int
    distribution: str
    load: float
    """The machine's load average before it began."""
    seconds: float
    """Of the whole command."""
    began: int
    """The second of the engine's clock at which the update began."""
    spans: Mapping[str, Span]
    """Its phases."""


def work_seconds(runs: Iterable[Run]) -> Measured:
    """Return the seconds in which each step had work under way, and those of the whole command."""
    found: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        steps: dict[str, float] = {step: span.worked for step, span in run.spans.items()} | {IN_ALL: run.seconds}
        for step in STEPS:
            if step in steps:
                found.setdefault(run.distribution, {}).setdefault(step, []).append(steps[step])
    return found


def runs_table(runs: Sequence[Run]) -> Table:
    """Return every step of every run."""
    table = Table("Runs", ("repeat", "distribution", "load", "step", "from s", "lasted s", "worked s", "changes"))
    for run in runs:
        about = (run.number, run.distribution, f"{run.load:.2f}")
        for step, span in run.spans.items():
            table.add(*about, step, span.begin - run.began, span.lasted, span.worked, len(span.changes))
        changes = sum(len(span.changes) for span in run.spans.values())
        table.add(*about, IN_ALL, 0, f"{run.seconds:.1f}", f"{run.seconds:.1f}", changes)
    return table


def steps_table(measured: Measured) -> Table:
    """Return the time per step beside the paper's, the distributions beside each other."""
    columns = ["step"]
    for distribution in measured:
        columns += [distribution, f"{distribution}, paper", "paper / ours"]
    table = Table("Seconds per step: median (quartiles) of the time with work under way", columns)
    for step in STEPS:
        cells = [cell for distribution in measured for cell in _cells(measured, distribution, step)]
        if any(cells):
            table.add(step, *cells)
    return table


def _cells(measured: Measured, distribution: str, step: str) -> tuple[str, str, str]:
    values, paper = measured[distribution].get(step, ()), TABLE_3[distribution].get(step)
    ours = Quartiles.of(values) if values else None
    ratio = short(paper / ours.median) if paper and ours and ours.median else ""
    return (str(ours or ""), str(paper or ""), ratio)


def spans_table(runs: Sequence[Run]) -> Table:
    """Return when each step began and how long it lasted, waiting for others included."""
    distributions = tuple(dict.fromkeys(run.distribution for run in runs))
    columns = [f"{name}, {what}" for name in distributions for what in ("from s", "lasted s")]
    table = Table("Steps overlap: medians from the first change to the last", ("step", *columns))
    for step in ORDER:
        cells: list[str] = []
        for name in distributions:
            own = [run for run in runs if run.distribution == name and step in run.spans]
            begin = [run.spans[step].begin - run.began for run in own]
            lasted = [run.spans[step].lasted for run in own]
            cells += [short(Quartiles.of(values).median) if values else "" for values in (begin, lasted)]
        table.add(step, *cells)
    return table


def goals(measured: Measured) -> list[Goal]:
    """Return what was wanted: the whole within its bound, and every step within the paper's time."""
    found: list[Goal] = []
    for distribution, steps in measured.items():
        for step, values in steps.items():
            median, paper = Quartiles.of(values).median, TABLE_3[distribution].get(step)
            if step == IN_ALL:
                found.append(at_most(f"{distribution}: {IN_ALL}", median, WANTED_SECONDS[distribution], "s"))
            elif paper is not None:
                found.append(at_most(f"{distribution}: {step}, as the paper", median, paper, "s"))
    return found

"""Reproduce Table 3 of the source paper: seconds per automated step, k3s and kubeadm in turns.

    python -m experiments.table3 [--repeats 5] [--distribution k3s] [--folder .state/experiments/table3]

Every run brings a site up on bare booted lab hosts of its own and ends with the answered picture. Needs root. Leaves
nothing but the folder, which is written anew after every run: runs.csv, the tables, table3.png and versions.json.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from experiments import phases, site_command
from experiments.distributions import LABS, bare_hosts, in_turns, versions_of
from experiments.paper import TABLE_3
from experiments.report import Report
from experiments.table3.drawing import draw
from experiments.table3.results import IN_ALL, Run, goals, runs_table, spans_table, steps_table, work_seconds


def once(number: int, distribution: str) -> tuple[Run, dict[str, str]]:
    """Bring a site up from bare hosts; return its times and the versions of what ran."""
    load = os.getloadavg()[0]
    with bare_hosts(distribution, "t3") as trial:
        log = trial.folder / "events.jsonl"
        begin = time.monotonic()
        trial.up("--event-log", str(log))
        seconds = time.monotonic() - begin
        versions, events = versions_of(trial), phases.read(log)
    run = Run(
        number=number,
        distribution=distribution,
        load=load,
        seconds=seconds,
        began=phases.began(events),
        spans=phases.spans(events),
    )
    return run, versions


def write(runs: Sequence[Run], versions: dict[str, dict[str, str]], folder: Path) -> Report:
    """Write all files of the runs so far."""
    measured = work_seconds(runs)
    report = Report("table 3", [steps_table(measured), spans_table(runs)], goals(measured))
    paper = ", ".join(f"{name} {TABLE_3[name][IN_ALL] - TABLE_3[name]['monitoring']} s" for name in measured)
    report.remarks.append(f"The paper's steps follow each other, ours overlap; its sums without monitoring: {paper}.")
    repeats = {name: len(steps[IN_ALL]) for name, steps in measured.items()}
    report.write(folder, repeats=repeats, sites=versions)
    runs_table(runs).write_csv(folder / "runs.csv")
    draw(
        folder / "table3.png", measured, f"From bare hosts to the answered picture: medians of {max(repeats.values())}"
    )
    return report


def measure(distributions: Sequence[str], repeats: int, folder: Path) -> Report:
    """Run all repeats and write the files after each, so that an error in the last loses nothing of the others."""
    runs: list[Run] = []
    versions: dict[str, dict[str, str]] = {}
    report = Report("table 3")
    for number, distribution in in_turns(distributions, repeats):
        run, versions[distribution] = once(number, distribution)
        runs.append(run)
        print(f"run {number} of {repeats}, {distribution}: {run.seconds:.1f} s", flush=True)
        report = write(runs, versions, folder)
    return report


def main() -> int:
    """Measure, print and write."""
    options = site_command.parser("experiments.table3", __doc__)
    options.add_argument(
        "--repeats", type=site_command.positive, default=5, help="sites per distribution (default: %(default)s)"
    )
    given = options.parse_args()
    distributions = given.distribution or list(LABS)
    return site_command.report(lambda: measure(distributions, given.repeats, given.folder), given.folder)


if __name__ == "__main__":
    raise SystemExit(main())

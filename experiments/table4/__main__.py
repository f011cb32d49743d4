"""Reproduce Table 4 of the source paper: CPU and memory of an idle site, k3s beside kubeadm.

    python -m experiments.table4 [--minutes 10] [--distribution k3s] [--folder .state/experiments/table4]

For each distribution bare lab hosts are read for a minute; then a site comes up on them and answers, and when the hosts
are quiet they are read again, every 5 seconds: from their control groups, and from the processes that the paper
counted. Needs root. Leaves nothing but the folder: samples.csv, the tables, table4.png and versions.json.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from experiments import site_command
from experiments.distributions import LABS, bare_hosts, versions_of
from experiments.report import Report
from experiments.table4.drawing import draw
from experiments.table4.idle import EVERY_SECONDS, IdleHost, hosts_of, watch
from experiments.table4.results import Idle, processes_table, samples_table, use_table
from experiments.table4.settling import Settled, settle
from experiments.trial import Trial

BARE_SECONDS = 60
BARE_WINDOW_SECONDS, BARE_PATIENCE_SECONDS = 10, 60
SITE_WINDOW_SECONDS, SITE_PATIENCE_SECONDS = 30, 300


def once(distribution: str, minutes: int) -> tuple[list[Idle], dict[str, object]]:
    """Read hosts bare and with an idle site; return what they used, and how it came about."""
    with bare_hosts(distribution, "t4") as trial:
        bare_hosts_quiet = _settled(hosts_of(trial, with_pods=False), BARE_WINDOW_SECONDS, BARE_PATIENCE_SECONDS)
        bare = watch(hosts_of(trial, with_pods=False), BARE_SECONDS)
        hosts, about = _answering(trial)
        quiet = _settled(hosts, SITE_WINDOW_SECONDS, SITE_PATIENCE_SECONDS)
        idle = watch(hosts, minutes * 60)
    about |= {"bare hosts quiet": asdict(bare_hosts_quiet), "site quiet": asdict(quiet)}
    found = [
        Idle(distribution=distribution, host=host, bare=bare[host.role], with_site=idle[host.role]) for host in hosts
    ]
    return found, about


def _answering(trial: Trial) -> tuple[list[IdleHost], dict[str, object]]:
    """Bring the site up, which ends with an answer; return its hosts and the versions of what runs."""
    trial.up()
    return hosts_of(trial, with_pods=True), {**versions_of(trial)}


def _settled(hosts: Sequence[IdleHost], window_seconds: float, patience_seconds: float) -> Settled:
    def cpu_seconds() -> dict[str, float]:
        return {host.name: host.read().host.cpu_seconds for host in hosts}

    return settle(cpu_seconds, window_seconds=window_seconds, patience_seconds=patience_seconds)


def write(nodes: Sequence[Idle], sites: dict[str, object], minutes: int, folder: Path) -> Report:
    """Write all files of the nodes so far."""
    report = Report("table 4", [use_table(nodes), processes_table(nodes)])
    report.remarks.append(
        f"Idle for {minutes} minutes, a sample every {EVERY_SECONDS:g} s; memory of hosts and pods is the working set,"
        " of processes the resident one."
    )
    report.remarks += [f"{node.node}: no process {name} was seen." for node in nodes for name in node.unseen()]
    report.write(folder, minutes=minutes, sites=sites)
    samples_table(nodes).write_csv(folder / "samples.csv")
    draw(folder / "table4.png", nodes, f"An idle site, {minutes} minutes: medians of the samples")
    return report


def measure(distributions: Sequence[str], minutes: int, folder: Path) -> Report:
    """Measure one distribution after the other and write the files after each."""
    nodes: list[Idle] = []
    sites: dict[str, object] = {}
    report = Report("table 4")
    for distribution in distributions:
        found, sites[distribution] = once(distribution, minutes)
        nodes += found
        print(f"{distribution}: measured, {minutes} min", flush=True)
        report = write(nodes, sites, minutes, folder)
    return report


def main() -> int:
    """Measure, print and write."""
    options = site_command.parser("experiments.table4", __doc__)
    options.add_argument(
        "--minutes", type=site_command.positive, default=10, help="of idling per distribution (default: %(default)s)"
    )
    given = options.parse_args()
    distributions = given.distribution or list(LABS)
    return site_command.report(lambda: measure(distributions, given.minutes, given.folder), given.folder)


if __name__ == "__main__":
    raise SystemExit(main())

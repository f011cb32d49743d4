"""Reproduce Table 4 of the source paper: CPU and memory of an idle site, k3s beside kubeadm.

    python -m experiments.table4 [--repeats 5] [--minutes 10] [--distribution k3s] [--folder .state/experiments/table4]

In every repeat bare lab hosts are read for a minute; then a site of each distribution comes up on its hosts and
answers, and when all hosts are quiet they are read again, every 5 seconds and side by side: from their control groups,
and from the processes that the paper counted. Needs root. Leaves nothing but the folder, which is written anew after
every repeat: samples.csv, the tables, table4.png and versions.json.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from experiments import site_command
from experiments.distributions import LABS, bare_hosts, versions_of
from experiments.report import Report
from experiments.table4.drawing import draw
from experiments.table4.idle import EVERY_SECONDS, IdleHost, hosts_of, watch
from experiments.table4.results import Idle, by_node, processes_table, samples_table, use_table
from experiments.table4.settling import Settled, settle
from experiments.trial import Trial

BARE_SECONDS = 60
BARE_WINDOW_SECONDS, BARE_PATIENCE_SECONDS = 10, 60
SITE_WINDOW_SECONDS, SITE_PATIENCE_SECONDS = 30, 300


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """One repeat: every host of the sites, and how it came about."""

    number: int
    idles: Sequence[Idle]
    bare_hosts_quiet: Settled
    sites_quiet: Settled


def once(number: int, distributions: Sequence[str], minutes: int) -> tuple[Repeat, dict[str, object]]:
    """Read hosts bare and with idle sites, those of all distributions at the same time; return the sites' versions."""
    with ExitStack() as up:
        trials = {name: up.enter_context(bare_hosts(name, "t4")) for name in distributions}
        bare_hosts_quiet = _settled(_hosts(trials, with_pods=False), BARE_WINDOW_SECONDS, BARE_PATIENCE_SECONDS)
        bare = watch(_hosts(trials, with_pods=False), BARE_SECONDS)
        for trial in trials.values():
            trial.up()
        hosts = _hosts(trials, with_pods=True)
        sites_quiet = _settled(hosts, SITE_WINDOW_SECONDS, SITE_PATIENCE_SECONDS)
        idle = watch(hosts, minutes * 60)
        versions: dict[str, object] = {name: versions_of(trial) for name, trial in trials.items()}
    idles = [Idle(number=number, host=host, bare=bare[host.node], with_site=idle[host.node]) for host in hosts]
    return Repeat(number=number, idles=idles, bare_hosts_quiet=bare_hosts_quiet, sites_quiet=sites_quiet), versions


def _hosts(trials: Mapping[str, Trial], *, with_pods: bool) -> list[IdleHost]:
    return [host for name, trial in trials.items() for host in hosts_of(trial, name, with_pods=with_pods)]


def _settled(hosts: Sequence[IdleHost], window_seconds: float, patience_seconds: float) -> Settled:
    def cpu_seconds() -> dict[str, float]:
        return {host.node: host.read().host.cpu_seconds for host in hosts}

    return settle(cpu_seconds, window_seconds=window_seconds, patience_seconds=patience_seconds)


def write(repeats: Sequence[Repeat], sites: dict[str, object], minutes: int, folder: Path) -> Report:
    """Write all files of the repeats so far."""
    idles = [idle for repeat in repeats for idle in repeat.idles]
    report = Report("table 4", [use_table(idles), processes_table(idles)])
    report.remarks.append(
        f"{len(repeats)} repeats of {minutes} idle minutes, a sample every {EVERY_SECONDS:g} s: of a repeat the mean"
        " CPU and the median memory. Memory of hosts and pods is the working set, of processes the resident one."
    )
    report.remarks += [
        f"{node}: no process {name} was seen."
        for node, found in by_node(idles).items()
        for name in sorted(set.intersection(*(idle.unseen() for idle in found)))
    ]
    report.write(folder, minutes=minutes, sites=sites, repeats=[_about(repeat) for repeat in repeats])
    samples_table(idles).write_csv(folder / "samples.csv")
    draw(folder / "table4.png", idles, f"Idle sites, {minutes} minutes: medians of {len(repeats)}")
    return report


def _about(repeat: Repeat) -> dict[str, object]:
    return {
        "number": repeat.number,
        "bare hosts quiet": asdict(repeat.bare_hosts_quiet),
        "sites quiet": asdict(repeat.sites_quiet),
    }


def measure(distributions: Sequence[str], repeats: int, minutes: int, folder: Path) -> Report:
    """Measure all repeats and write the files after each, so that an error in the last loses nothing of the others."""
    done: list[Repeat] = []
    report = Report("table 4")
    for number in range(1, repeats + 1):
        repeat, sites = once(number, distributions, minutes)
        done.append(repeat)
        print(f"repeat {number} of {repeats}: {', '.join(distributions)} measured, {minutes} min", flush=True)
        report = write(done, sites, minutes, folder)
    return report


def main() -> int:
    """Measure, print and write."""
    options = site_command.parser("experiments.table4", __doc__)
    options.add_argument(
        "--minutes", type=site_command.positive, default=10, help="of idling per repeat (default: %(default)s)"
    )
    options.add_argument(
        "--repeats", type=site_command.positive, default=5, help="sites per distribution (default: %(default)s)"
    )
    given = options.parse_args()
    distributions = given.distribution or list(LABS)
    return site_command.report(lambda: measure(distributions, given.repeats, given.minutes, given.folder), given.folder)


if __name__ == "__main__":
    raise SystemExit(main())

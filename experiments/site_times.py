"""Bring a site up from bare hosts several times, and print how long each phase took beside the source paper's figures.

    python -m experiments.site_times --repeats 3

The paper's figures (Table 3, lightweight Kubernetes) are of Raspberry Pis; ours are of lab hosts on this machine, so
the last column is an order of magnitude and not a race.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from experiments import phases
from experiments.trial import Trial

PAPER_SECONDS = {"environment": 116, "initialise": 42, "join": 27, "endpoint": 68, "framework": 5}
PAPER_TOTAL_SECONDS = 299


def once(folder: Path) -> dict[str, int]:
    """Return the seconds of each phase, and of the whole `pulumi up` under "in all", of one site from bare hosts."""
    trial = Trial("bench", "10.99.66.", folder)
    log = folder / "events.jsonl"
    trial.lab("down")
    try:
        trial.start_hosts()
        trial.create_stack()
        begin = time.monotonic()
        trial.up("--event-log", str(log))
        total = round(time.monotonic() - begin)
    finally:
        trial.lab("down")
    spans = phases.spans(phases.read(log))
    return {phase: span.end - span.begin for phase, span in spans.items()} | {"in all": total}


def table(runs: list[dict[str, int]]) -> str:
    """Return medians and ranges per phase beside the paper's seconds."""
    rows = [f"{'phase':12} {'median s':>9} {'min':>5} {'max':>5} {'paper s':>8}"]
    for phase in (*phases.ORDER, "in all"):
        seconds = [run[phase] for run in runs if phase in run]
        if seconds:
            paper = PAPER_TOTAL_SECONDS if phase == "in all" else PAPER_SECONDS.get(phase, "")
            rows.append(f"{phase:12} {statistics.median(seconds):9g} {min(seconds):5d} {max(seconds):5d} {paper!s:>8}")
    return "\n".join(rows)


def main() -> None:
    """Run the repeats and print the table."""
    parser = argparse.ArgumentParser(prog="python -m experiments.site_times", description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3, help="sites to bring up (default: %(default)s)")
    runs: list[dict[str, int]] = []
    for _ in range(parser.parse_args().repeats):
        with tempfile.TemporaryDirectory(prefix="kubevc-bench-") as folder:
            runs.append(once(Path(folder)))
            print(f"run {len(runs)}: {runs[-1]['in all']} s", flush=True)
    print(table(runs))


if __name__ == "__main__":
    main()

"""Run the measurements of the proxy that take minutes, and print one summary: every goal beside what was measured.

    python -m experiments.bench [--only NAME ...] [--folder .state/experiments/bench]

What takes longer, or needs root, has a command of its own: `python -m experiments.figure7`, `experiments.batching`,
`experiments.table3`, `experiments.table4`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

from experiments import bytes_table, footprint, own_time, transcoding
from experiments.goals import goals_table
from experiments.process import CHECKOUT
from experiments.report import Report

FOLDER = CHECKOUT / ".state" / "experiments" / "bench"
PARTS: dict[str, Callable[[], Report]] = {
    "own-time": own_time.measure,
    "transcoding": transcoding.measure,
    "bytes": bytes_table.measure,
    "footprint": footprint.measure,
}


def measure(names: list[str], folder: Path) -> Report:
    """Run the parts one after the other; print each when it is done, and write it into a folder of its name."""
    summary = Report("summary")
    for name in names:
        begin = time.monotonic()
        report = PARTS[name]()
        report.print()
        print(f"({name}: {time.monotonic() - begin:.0f} s)\n", flush=True)
        report.write(folder / name)
        summary.goals += report.goals
    return summary


def main() -> int:
    """Measure; return 1 where a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(PARTS), help="may be repeated; default: all")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="default: %(default)s")
    given = parser.parse_args()
    summary = measure(given.only or list(PARTS), given.folder)
    summary.write(given.folder)
    print(goals_table(summary.goals, "All goals").markdown())
    return 0 if all(goal.met for goal in summary.goals) else 1


if __name__ == "__main__":
    raise SystemExit(main())

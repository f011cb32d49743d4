"""The command line of what measures whole sites: its options, and an orderly end whatever happens."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import TimeoutExpired

from experiments.distributions import LABS
from experiments.process import CHECKOUT
from experiments.report import Report
from experiments.trial import TrialFailed


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """Return a parser with what all such commands take: which distributions, and where the files go."""
    made = argparse.ArgumentParser(
        prog=f"python -m {module}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    folder = CHECKOUT / ".state" / "experiments" / module.rpartition(".")[2]
    made.add_argument("--distribution", action="append", choices=list(LABS), help="may be repeated; default: both")
    made.add_argument("--folder", type=Path, default=folder, help="default: %(default)s")
    return made


def positive(text: str) -> int:
    """Return a count of the command line.

    Raises:
        argparse.ArgumentTypeError: It is no whole number above 0.
    """
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no whole number above 0, and nothing would be measured; give 1 or more"
        )
    return int(text)


def report(measure: Callable[[], Report], folder: Path) -> int:
    """Measure and print; return the exit status, which is 1 where a goal is missed or a command failed."""
    # A SIGTERM unwinds like an error, so that hosts and processes go with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        found = measure()
    except (TrialFailed, TimeoutExpired) as failure:
        print(f"{failure}\n\nThe hosts are gone; what was measured before is in {folder}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nstopped; the hosts are gone, and what was measured before is in {folder}", file=sys.stderr)
        return 130
    found.print()
    print(f"written to {folder}")
    return 0 if all(goal.met for goal in found.goals) else 1

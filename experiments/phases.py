"""Print how long each phase of an update took, from the engine's event log.

The phases are those of the source paper's Table 3: environment, initialise, join, endpoint, framework. They overlap,
because work starts as soon as what it needs is there; the share that an update would lose with a phase gone is
therefore smaller than the phase's own span. The engine notes whole seconds.
"""

import argparse
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# The phase of each component of the program's story, by the file that defines its type (`kubevc:<file>:<Class>`).
PHASES = {
    "host": "environment",
    "cluster": "initialise",
    "network": "initialise",
    "join": "join",
    "model_store": "framework",
    "serving": "framework",
    "endpoint": "endpoint",
    "smoke": "answer",
}
ORDER = ("environment", "initialise", "join", "framework", "endpoint", "answer")
WRITES = {"create", "update", "delete", "replace", "create-replacement", "delete-replaced"}


@dataclass(frozen=True)
class Span:
    """The changes of a phase: for each, the whole seconds since the epoch at which it began and ended."""

    changes: tuple[tuple[int, int], ...]

    @property
    def begin(self) -> int:
        """Return when the first change began."""
        return min(begin for begin, _ in self.changes)

    @property
    def end(self) -> int:
        """Return when the last change ended."""
        return max(end for _, end in self.changes)

    @property
    def lasted(self) -> int:
        """Return the seconds from the first change to the last, waiting for other phases in between included."""
        return self.end - self.begin

    @property
    def worked(self) -> int:
        """Return the seconds in which at least one change was under way."""
        seconds, until = 0, self.begin
        for begin, end in sorted(self.changes):
            seconds += max(0, end - max(begin, until))
            until = max(until, end)
        return seconds


def phase_of(urn: str) -> str | None:
    """Return the phase of a resource from the component types in its URN; None for the stack's own.

    The outermost component decides: what a node needs in order to join is part of joining, whatever it is made of.
    """
    files = re.findall(r"kubevc:(\w+):", urn)
    return next((PHASES[file] for file in files if file in PHASES), None)


def is_component(urn: str) -> bool:
    """Return whether a URN is a component's, which begins with the program and ends with its last child."""
    return urn.split("::")[2].rpartition("$")[2].startswith("kubevc:")


def steps(events: Iterable[dict[str, object]]) -> Iterator[tuple[str, int, int]]:
    """Yield (URN, begin, end) of every resource that the update changed."""
    begun: dict[str, int] = {}
    for event in events:
        when = int(str(event["timestamp"]))
        for kind in ("resourcePreEvent", "resOutputsEvent", "resOpFailedEvent"):
            body = event.get(kind)
            if not isinstance(body, dict):
                continue
            metadata = body["metadata"]
            if metadata["op"] not in WRITES:
                continue
            urn = str(metadata["urn"])
            if is_component(urn):
                continue
            if kind == "resourcePreEvent":
                begun.setdefault(urn, when)
            else:
                yield urn, begun.get(urn, when), when


def spans(events: Iterable[dict[str, object]]) -> dict[str, Span]:
    """Return the span of each phase that changed anything, in the order of a site's story."""
    found: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for urn, begin, end in steps(events):
        if phase := phase_of(urn):
            found[phase].append((begin, end))
    return {phase: Span(tuple(found[phase])) for phase in ORDER if phase in found}


def began(events: list[dict[str, object]]) -> int:
    """Return the second at which an update began."""
    return int(str(events[0]["timestamp"]))


def table(events: list[dict[str, object]]) -> str:
    """Return the phases as text: when each began, how long it lasted and worked, what it changed; the update last."""
    found, first = spans(events), began(events)
    in_all = int(str(events[-1]["timestamp"])) - first
    rows = [f"{'phase':12} {'from s':>7} {'lasted s':>9} {'worked s':>9} {'changes':>8}"]
    for phase, span in found.items():
        row = f"{phase:12} {span.begin - first:7d} {span.lasted:9d} {span.worked:9d} {len(span.changes):8d}"
        rows.append(row)
    rows.append(f"{'in all':12} {0:7d} {in_all:9d} {'':9} {sum(len(span.changes) for span in found.values()):8d}")
    return "\n".join(rows)


def read(log: Path) -> list[dict[str, object]]:
    """Return the events of a log, oldest first."""
    return [json.loads(line) for line in log.read_text().splitlines() if line.strip()]


def main() -> int:
    """Print the phases of the log that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m experiments.phases", description=__doc__)
    parser.add_argument("log", type=Path, help="event log of an update (pulumi up --event-log FILE)")
    log = parser.parse_args().log
    events = read(log) if log.exists() else []
    if not events:
        print(f"phases: {log}: holds no event of an update; bring the site up with `make up` first", file=sys.stderr)
        return 1
    print(table(events))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

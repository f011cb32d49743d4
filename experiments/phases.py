"""Print how long each phase of an update took, from the engine's event log.

The phases are those of the source paper's Table 3: environment, initialise, join, endpoint, framework. They overlap,
because work starts as soon as what it needs is there; the share that an update would lose with a phase gone is
therefore smaller than the phase's own span.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Which phase a component belongs to, by the file that defines its type (`kubevc:<file>:<Class>`).
PHASES = {
    "host": "environment",
    "k3s": "initialise",
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
    """Whole seconds since the epoch between which a phase had work under way, and how many resources it changed."""

    begin: int
    end: int
    changes: int

    def widened(self, begin: int, end: int) -> "Span":
        """Return the span that also covers another piece of work."""
        return Span(min(self.begin, begin), max(self.end, end), self.changes + 1)


def phase_of(urn: str) -> str | None:
    """Return the phase of a resource from the component types in its URN, innermost first; None for the stack's own."""
    for file in reversed(re.findall(r"kubevc:(\w+):", urn)):
        if file in PHASES:
            return PHASES[file]
    return None


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
    """Return the span of each phase that changed anything."""
    found: dict[str, Span] = {}
    for urn, begin, end in steps(events):
        if phase := phase_of(urn):
            found[phase] = found[phase].widened(begin, end) if phase in found else Span(begin, end, 1)
    return found


def table(events: list[dict[str, object]]) -> str:
    """Return the phases as text: when each began, how long it lasted, what it changed; the whole update last."""
    found = spans(events)
    first, last = (int(str(events[i]["timestamp"])) for i in (0, -1))
    rows = [f"{'phase':12} {'from s':>7} {'lasted s':>9} {'changes':>8}"]
    for phase in ORDER:
        if span := found.get(phase):
            rows.append(f"{phase:12} {span.begin - first:7d} {span.end - span.begin:9d} {span.changes:8d}")
    rows.append(f"{'in all':12} {0:7d} {last - first:9d} {sum(span.changes for span in found.values()):8d}")
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

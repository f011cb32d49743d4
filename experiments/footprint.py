"""Measure what the proxy takes: the time until it listens, its memory when idle, and what 10,000 requests add to it.

    python -m experiments.footprint [--requests 10000]

The requests are pictures, JSON numbers and bodies that are refused, in turns: a leak of any of these ways shows. The
memory of messages with megabytes comes and goes, and the allocator gives it back when it likes; what stays is the least
that is resident between two requests. Growth is that of the second half of the requests less that of the first.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments import detector
from experiments.goals import at_most
from experiments.loopback_model import answering
from experiments.pictures import coffee
from experiments.proxy_process import Refused, RunningProxy, running_proxy
from experiments.quartiles import Quartiles
from experiments.report import Report
from experiments.tables import Table

STARTS = 7
WARM_UP = 1000
REQUESTS = 10_000
KIB_PER_MIB = 1024
MB_PER_MIB = 1.048576
PARTS = 10
LOOK_EVERY = 5


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), flags=re.M)
    if found is None:
        raise RuntimeError(f"process {pid} has no memory")
    return int(found[1])


def processor_seconds(pid: int) -> float:
    """Return what a process has used of the processors."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def maps_tensorflow(pid: int) -> bool:
    """Say whether a process has any file of TensorFlow in its memory."""
    return "tensorflow" in Path(f"/proc/{pid}/maps").read_text()


@dataclass
class Starts:
    """What several starts showed."""

    seconds: list[float] = field(default_factory=list)
    processor_seconds: list[float] = field(default_factory=list)
    idle_mib: list[float] = field(default_factory=list)
    tensorflow: bool = False


def starts(folder: Path, models: list[dict[str, Any]], repeats: int) -> Starts:
    """Start the proxy several times, and look at it as soon as it listens; a first start compiles its sources."""
    with running_proxy(folder, models):
        pass
    seen = Starts()
    for _ in range(repeats):
        with running_proxy(folder, models) as proxy:
            seen.seconds.append(proxy.start_seconds)
            seen.processor_seconds.append(processor_seconds(proxy.pid))
            seen.idle_mib.append(resident_kib(proxy.pid) / KIB_PER_MIB)
            seen.tensorflow |= maps_tensorflow(proxy.pid)
    return seen


def turns(proxy: RunningProxy) -> list[Callable[[], object]]:
    """Return the requests that take turns."""
    picture = coffee(600, 400)
    numbers = detector.small_json()

    def refused() -> None:
        try:
            proxy.post(detector.FLOAT_ONLY, b"\xff\xd8 not a picture", {"content-type": "image/jpeg"})
        except Refused:
            return
        raise AssertionError("a broken picture was taken")

    return [
        lambda: proxy.post(detector.FLOAT_ONLY, picture, {"content-type": "image/jpeg"}),
        lambda: proxy.post(detector.IN_GRAPH, picture, {"content-type": "image/jpeg"}),
        lambda: proxy.post(detector.NUMBERS, numbers, {"content-type": "application/json"}),
        refused,
    ]


def growth(folder: Path, models: list[dict[str, Any]], requests: int) -> list[tuple[int, float]]:
    """Send requests in turns; return for each tenth of them its last request and the least MiB resident within it."""
    parts = []
    with running_proxy(folder, models) as proxy:
        ways = turns(proxy)
        for number in range(WARM_UP):
            ways[number % len(ways)]()
        part = max(LOOK_EVERY, requests // PARTS)
        for end in range(part, requests + 1, part):
            parts.append((end, least_resident(proxy, ways, part)))
    return parts


def least_resident(proxy: RunningProxy, ways: list[Callable[[], object]], requests: int) -> float:
    """Send requests in turns; return the least MiB resident between two of them."""
    seen = []
    for number in range(requests):
        ways[number % len(ways)]()
        if number % LOOK_EVERY == 0:
            seen.append(resident_kib(proxy.pid) / KIB_PER_MIB)
    return min(seen)


def measure(requests: int = REQUESTS) -> Report:
    """Measure all three."""
    with answering(detector.models()) as server, tempfile.TemporaryDirectory() as name:
        models = detector.write(Path(name), server.target)
        seen = starts(Path(name), models, STARTS)
        parts = growth(Path(name), models, requests)
    table = Table("Footprint of the proxy", ("what", "value"))
    table.add(f"start until it listens, s, {STARTS} starts", Quartiles.of(seen.seconds))
    table.add("processor time until it listens, s", Quartiles.of(seen.processor_seconds))
    table.add("resident when idle, MiB", Quartiles.of(seen.idle_mib))
    table.add("a file of TensorFlow in its memory", "yes" if seen.tensorflow else "no")
    course = Table(f"Resident memory after {WARM_UP:,} requests", ("further requests", "least resident, MiB"))
    for end, mebibytes in parts:
        course.add(end, f"{mebibytes:.1f}")
    least = [mebibytes for _, mebibytes in parts]
    grown = (min(least[len(least) // 2 :]) - min(least[: len(least) // 2])) * MB_PER_MIB
    goals = [
        at_most("start until it listens", Quartiles.of(seen.seconds).median, 1, "s"),
        at_most("resident when idle", Quartiles.of(seen.idle_mib).median * MB_PER_MIB, 150, "MB"),
        at_most(f"growth over {requests:,} requests after {WARM_UP:,}", grown, 5, "MB"),
        at_most("files of TensorFlow in memory (0 is no)", float(seen.tensorflow), 0, ""),
    ]
    return Report("footprint", [table, course], goals)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="requests after the warm-up")
    measure(parser.parse_args().requests).print()


if __name__ == "__main__":
    main()

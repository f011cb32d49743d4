"""Measure what the proxy takes: the time until it listens, its memory when idle, and what 10,000 requests add to it.

    python -m experiments.footprint [--requests 10000]

The requests are pictures, JSON numbers and bodies that are refused, in turns: a leak of any of these ways shows.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Callable
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
MEBIBYTE = 1024


def resident_kib(pid: int) -> int:
    """Return the resident memory of a process in KiB."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), flags=re.M)
    if found is None:
        raise RuntimeError(f"process {pid} has no memory")
    return int(found[1])


def maps_tensorflow(pid: int) -> bool:
    """Say whether a process has any file of TensorFlow in its memory."""
    return "tensorflow" in Path(f"/proc/{pid}/maps").read_text()


def starts(folder: Path, models: list[dict[str, Any]], repeats: int) -> tuple[list[float], list[float], bool]:
    """Start the proxy several times; return seconds until it listens, idle MiB, and whether TensorFlow was there."""
    seconds, mebibytes, tensorflow = [], [], False
    for _ in range(repeats):
        with running_proxy(folder, models) as proxy:
            seconds.append(proxy.start_seconds)
            mebibytes.append(resident_kib(proxy.pid) / MEBIBYTE)
            tensorflow |= maps_tensorflow(proxy.pid)
    return seconds, mebibytes, tensorflow


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
    """Send requests in turns; return the resident MiB after each tenth of them, the warm-up's end first."""
    marks = []
    with running_proxy(folder, models) as proxy:
        ways = turns(proxy)
        for number in range(WARM_UP):
            ways[number % len(ways)]()
        marks.append((0, resident_kib(proxy.pid) / MEBIBYTE))
        for number in range(1, requests + 1):
            ways[number % len(ways)]()
            if number % max(1, requests // 10) == 0:
                marks.append((number, resident_kib(proxy.pid) / MEBIBYTE))
    return marks


def measure(requests: int = REQUESTS) -> Report:
    """Measure all three."""
    report = Report("footprint")
    with answering(detector.models()) as server, tempfile.TemporaryDirectory() as name:
        models = detector.write(Path(name), server.target)
        seconds, idle, tensorflow = starts(Path(name), models, STARTS)
        marks = growth(Path(name), models, requests)
    table = Table("Footprint of the proxy", ("what", "value"))
    table.add(f"start until it listens, s, {STARTS} starts", Quartiles.of(seconds))
    table.add("resident when idle, MiB", Quartiles.of(idle))
    table.add("a file of TensorFlow in its memory", "yes" if tensorflow else "no")
    course = Table("Resident memory over requests", ("requests after the warm-up", "resident MiB"), list(marks))
    report.tables = [table, course]
    grown = max(mebibytes for _, mebibytes in marks) - marks[0][1]
    report.goals = [
        at_most("start until it listens", Quartiles.of(seconds).median, 1, "s"),
        at_most("resident when idle", Quartiles.of(idle).median * 1.048576, 150, "MB"),
        at_most(f"growth over {requests:,} requests after {WARM_UP:,}", grown * 1.048576, 5, "MB"),
        at_most("files of TensorFlow in memory", float(tensorflow), 0, ""),
    ]
    return report


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=REQUESTS, help="requests after the warm-up")
    measure(parser.parse_args().requests).print()


if __name__ == "__main__":
    main()

"""Measure the proxy's own time: a JPEG in, boxes out, with a model that answers at once; beside it the naive proxy.

    python -m experiments.own_time [--requests 100]

Own time is the round trip that the sender sees, less the call to the model server as the proxy's log tells it: HTTP,
waiting and every stage of the proxy are in it. The naive proxy tells its call in the same way. It is given JSON numbers
of the same picture, already decoded and resized, and gives the raw numbers back: its time holds neither. All of them
take turns in one run.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from experiments import detector
from experiments.goals import at_least, at_most
from experiments.loopback_model import LoopbackServer, answering
from experiments.pictures import as_array, coffee
from experiments.proxy_process import Answered, RunningProxy, running_proxy
from experiments.quartiles import Quartiles, short
from experiments.report import Report
from experiments.rivals.naive import NaiveProxy, naive_proxy, named_request
from experiments.tables import Table

GOAL_MILLISECONDS, GOAL_TIMES = 15, 100
PICTURES = {
    "640 x 427": (640, 427),
    "1080 x 810": (1080, 810),
    "1920 x 1080": (1920, 1080),
    "4000 x 3000": (4000, 3000),
}
MAIN_PICTURE = "1080 x 810"
NAIVE_EVERY = 10
"""The naive proxy takes one turn in so many: it is a hundred times slower."""
JPEG = {"content-type": "image/jpeg"}


@dataclass
class Course:
    """What was measured of one way."""

    own: list[float] = field(default_factory=list)
    round_trips: list[float] = field(default_factory=list)
    stages: list[dict[str, float]] = field(default_factory=list)
    sent: int = 0
    received: int = 0

    def add(self, answered: Answered) -> None:
        """Note one answer."""
        self.own.append(answered.own_milliseconds)
        self.round_trips.append(answered.milliseconds)
        self.stages.append(answered.stages)
        self.sent, self.received = answered.log["bytes"]["to-model"], answered.log["bytes"]["from-model"]


def query(name: str) -> str:
    """Return the query that holds a model to its way also where another one would take fewer bytes."""
    wires = {detector.FLOAT_ONLY: "float", detector.RAW_PIXELS: "pixels", detector.IN_GRAPH: "pixels"}
    return f"wire={wires.get(name, 'encoded')}"


def take_turns(works: list[Callable[[bool], None]], repeats: int, warm_up: int = 3) -> None:
    """Call each work once per turn; it is told whether the turn counts."""
    for turn in range(warm_up + repeats):
        for work in works:
            work(turn >= warm_up)


def measure_picture(proxy: RunningProxy, picture: bytes, requests: int) -> dict[str, Course]:
    """Send one picture on every way, in turns."""
    courses = {name: Course() for name in detector.WAYS}

    def send(name: str) -> Callable[[bool], None]:
        def once(counts: bool) -> None:
            answered = proxy.post(name, picture, JPEG, query(name))
            if counts:
                courses[name].add(answered)

        return once

    take_turns([send(name) for name in detector.WAYS], requests)
    return courses


def measure_beside_naive(
    proxy: RunningProxy, naive: NaiveProxy, picture: bytes, requests: int
) -> tuple[dict[str, Course], Course]:
    """Send the main picture on every way, with the naive proxy in every tenth turn."""
    body = named_request({detector.INPUT: as_array(picture, detector.SIDE)})
    rival = Course()
    courses: dict[str, Course] = {name: Course() for name in detector.WAYS}
    naive.post(detector.FLOAT_ONLY, body)
    for _ in range(max(1, requests // NAIVE_EVERY)):
        answer = naive.post(detector.FLOAT_ONLY, body)
        rival.own.append(answer.own_milliseconds)
        rival.round_trips.append(answer.milliseconds)
        rival.sent, rival.received = len(body), len(answer.body)
        for name, course in measure_picture(proxy, picture, NAIVE_EVERY).items():
            courses[name].own += course.own
            courses[name].round_trips += course.round_trips
            courses[name].stages += course.stages
            courses[name].sent, courses[name].received = course.sent, course.received
    return courses, rival


def times_table(courses: dict[str, Course], rival: Course, picture: bytes) -> Table:
    """Return own times and round trips of the main picture."""
    title = f"Own time, JPEG of {MAIN_PICTURE} ({len(picture) / 1000:.0f} kB), ms"
    table = Table(title, ("way", "own time", "round trip", "to the model, B", "from the model, B", "naive / own"))
    slow = Quartiles.of(rival.own)
    for name, course in courses.items():
        own = Quartiles.of(course.own)
        times = short(slow.median / own.median)
        table.add(detector.WAYS[name], own, Quartiles.of(course.round_trips), course.sent, course.received, times)
    table.add("naive proxy (JSON numbers both ways)", slow, Quartiles.of(rival.round_trips), "", "", 1)
    return table


def stages_table(courses: dict[str, Course]) -> Table:
    """Return the median of every stage."""
    names = list(dict.fromkeys(stage for course in courses.values() for row in course.stages for stage in row))
    table = Table("Stages: medians, ms", ("way", *names))
    for name, course in courses.items():
        medians = (Quartiles.of(row.get(stage, 0.0) for row in course.stages).median for stage in names)
        table.add(detector.WAYS[name], *(f"{median:.2f}" for median in medians))
    return table


def sizes_table(proxy: RunningProxy, requests: int) -> Table:
    """Return the own time of pictures of several sizes on every way."""
    table = Table("Own time by the size of the picture, ms", ("picture", "kB", *detector.WAYS.values()))
    for name, size in PICTURES.items():
        picture = coffee(*size)
        courses = measure_picture(proxy, picture, requests)
        table.add(name, f"{len(picture) / 1000:.0f}", *(Quartiles.of(course.own) for course in courses.values()))
    return table


def measure(requests: int = 100) -> Report:
    """Measure everything."""
    with (
        answering(detector.models()) as server,
        tempfile.TemporaryDirectory() as name,
        running_proxy(Path(name), detector.write(Path(name), server.target)) as proxy,
    ):
        return _measure(server, proxy, requests)


def _measure(server: LoopbackServer, proxy: RunningProxy, requests: int) -> Report:
    picture = coffee(*PICTURES[MAIN_PICTURE])
    with naive_proxy(server.target) as naive:
        courses, rival = measure_beside_naive(proxy, naive, picture, requests)
    sizes = sizes_table(proxy, max(5, requests // 5))
    report = Report("own time", [times_table(courses, rival, picture), stages_table(courses), sizes])
    slow = Quartiles.of(rival.own).median
    for way, course in courses.items():
        own = Quartiles.of(course.own).median
        report.goals += [
            at_most(f"own time, {detector.WAYS[way]}", own, GOAL_MILLISECONDS, "ms"),
            at_least(f"naive proxy's own time / ours, {detector.WAYS[way]}", slow / own, GOAL_TIMES),
        ]
    return report


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100, help="requests per way with the main picture")
    measure(parser.parse_args().requests).print()


if __name__ == "__main__":
    main()

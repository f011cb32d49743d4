"""An update of a site whose cluster does not answer: what leads to it goes first."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from components.update import STANDS_STILL, main, update, way_to_the_api

UP = ["pulumi", "up", "--yes"]
PREVIEW = ["pulumi", "preview"]
STILL = f"<{{%reset%}}>{STANDS_STILL}. If the cluster was deleted, ..."
OTHER = "<{%reset%}>the host does not answer"


class Engine:
    """Ends as it is told, leaving a log; notes what it was asked for."""

    def __init__(self, events: Path, *outcomes: tuple[int, str]) -> None:
        self._events = events
        self._outcomes = list(outcomes)
        self.asked: list[list[str]] = []

    def __call__(self, command: Sequence[str]) -> int:
        assert not self._events.exists(), "the log of a run before this one"
        self.asked.append(list(command))
        status, message = self._outcomes.pop(0)
        lines = [{"timestamp": 1, "preludeEvent": {}}, {"timestamp": 2, "diagnosticEvent": {"message": message}}]
        self._events.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        return status


@pytest.fixture
def events(tmp_path: Path) -> Path:
    return tmp_path / "of the site" / "events.jsonl"


def test_a_run_of_a_cluster_that_answers_is_the_only_one(events: Path) -> None:
    engine = Engine(events, (0, "done"))
    assert update(UP, events, engine) == 0
    assert engine.asked == [[*UP, "--event-log", str(events)]]


def test_another_failure_is_not_tried_again(events: Path) -> None:
    engine = Engine(events, (255, OTHER))
    assert update(UP, events, engine) == 255
    assert len(engine.asked) == 1


def test_an_engine_that_left_no_log_is_not_tried_again(events: Path) -> None:
    assert update(UP, events, lambda _command: 255) == 255


def test_what_leads_to_a_cluster_that_stands_still_goes_first_and_then_all(events: Path) -> None:
    engine = Engine(events, (255, STILL), (0, "done"), (0, "done"))
    assert update(UP, events, engine) == 0
    log = ["--event-log", str(events)]
    assert engine.asked == [[*UP, *log], [*UP, *way_to_the_api(), *log], [*UP, *log]]


def test_a_server_that_cannot_be_brought_back_ends_it(events: Path) -> None:
    engine = Engine(events, (255, STILL), (254, OTHER))
    assert update(UP, events, engine) == 254


def test_a_cluster_that_this_machine_does_not_reach_ends_it(events: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = Engine(events, (255, STILL), (0, "done"), (255, STILL))
    assert update(UP, events, engine) == 255
    assert len(engine.asked) == 3
    assert "or write `api-access: ssh`" in capsys.readouterr().err


def test_a_preview_shows_what_leads_to_the_cluster_and_that_it_did_not_see_all(events: Path) -> None:
    engine = Engine(events, (255, STILL), (0, "done"))
    assert update(PREVIEW, events, engine) == 255
    log = ["--event-log", str(events)]
    assert engine.asked == [[*PREVIEW, *log], [*PREVIEW, *way_to_the_api(), *log]]


def test_the_first_step_by_hand_is_written_down() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "lost-hosts.md"
    written = page.read_text().replace("'", "").replace("\\\n", " ").split()
    first = written.index("--target")
    assert written[first : first + len(way_to_the_api())] == way_to_the_api()


def test_its_use_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["events.jsonl"]) == 2
    assert "python -m components.update EVENTS pulumi up" in capsys.readouterr().err


STOPPED = f"""
trap 'sleep 0.3; echo ended >> "$0"; exit 3' INT
echo "{STANDS_STILL}" > "$2"
echo begun >> "$0"
while :; do sleep 0.05; done
"""


def test_ctrl_c_lets_the_engine_end_what_it_has_begun_and_begins_nothing_more(events: Path, tmp_path: Path) -> None:
    told = tmp_path / "told"
    command = [sys.executable, "-m", "components.update", str(events), "bash", "-c", STOPPED, str(told)]
    with subprocess.Popen(command, process_group=0) as process:
        until = time.monotonic() + 30
        while not (told.exists() and told.read_text()) and time.monotonic() < until:
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=20) == 3
    assert told.read_text().split() == ["begun", "ended"]

import csv
from pathlib import Path

import pytest

from experiments import distributions
from experiments.distributions import in_turns
from experiments.paper import K3S, KUBEADM, TABLE_3
from experiments.phases import Span
from experiments.table3.__main__ import once, write
from experiments.table3.drawing import draw
from experiments.table3.results import IN_ALL, Run, goals, runs_table, spans_table, steps_table, work_seconds
from tests.experiments.trial_replay import ReplayedTrial


def run(number: int, distribution: str, seconds: float, join: int) -> Run:
    spans = {"environment": Span(((1004, 1019), (1010, 1012))), "join": Span(((1020, 1020 + join), (1040, 1041)))}
    return Run(number=number, distribution=distribution, load=0.5, seconds=seconds, began=1000, spans=spans)


RUNS = [run(1, K3S, 60, 3), run(1, KUBEADM, 112, 7), run(2, K3S, 64, 5), run(2, KUBEADM, 120, 9)]


def test_distributions_take_turns() -> None:
    assert list(in_turns((K3S, KUBEADM), 2)) == [(1, K3S), (1, KUBEADM), (2, K3S), (2, KUBEADM)]


@pytest.mark.parametrize("distribution", [K3S, KUBEADM])
def test_the_papers_steps_add_up_to_its_total(distribution: str) -> None:
    steps = dict(TABLE_3[distribution])
    assert sum(steps.values()) == 2 * steps.pop(IN_ALL)


def test_work_is_gathered_per_distribution_and_step() -> None:
    assert work_seconds(RUNS) == {
        K3S: {"environment": [15, 15], "join": [4, 6], IN_ALL: [60, 64]},
        KUBEADM: {"environment": [15, 15], "join": [8, 10], IN_ALL: [112, 120]},
    }


def test_steps_stand_beside_the_papers_also_those_that_only_one_of_both_has() -> None:
    rows = {row[0]: row[1:] for row in steps_table(work_seconds(RUNS)).rows}
    assert rows["join"] == ("5 (4.5-5.5)", "27", "5.4", "9 (8.5-9.5)", "16", "1.78")
    assert rows["monitoring"] == ("", "41", "", "", "66", "")
    assert rows[IN_ALL] == ("62 (61-63)", "299", "4.82", "116 (114-118)", "707", "6.09")
    assert "answer" not in rows


def test_a_step_of_no_seconds_has_no_ratio() -> None:
    assert steps_table({K3S: {"join": [0.0]}}).rows[2] == ("join", "0 (0-0)", "27", "")


def test_waiting_is_told_beside_the_work() -> None:
    assert spans_table(RUNS).rows[2] == ("join", "20", "21", "20", "21")


def test_goals_are_the_issues_bounds_and_the_papers_steps() -> None:
    verdicts = {goal.what: goal.met for goal in goals(work_seconds(RUNS))}
    assert verdicts == {
        "k3s: environment, as the paper": True,
        "k3s: join, as the paper": True,
        "k3s: in all": True,
        "kubeadm: environment, as the paper": True,
        "kubeadm: join, as the paper": True,
        "kubeadm: in all": False,
    }


def test_a_run_is_a_site_from_bare_hosts_which_are_gone_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    monkeypatch.setattr(ReplayedTrial, "did", did, raising=False)
    monkeypatch.setattr(distributions, "Trial", ReplayedTrial)
    found, versions = once(2, KUBEADM)
    assert did[:3] == ["t3-kubeadm like edge-lab-kubeadm in 10.99.67.", "hosts", "up"]
    assert did[-1] == "gone"
    assert (found.number, found.distribution, found.began) == (2, KUBEADM, 500)
    assert found.spans == {"answer": Span(((541, 543),))}
    assert versions == {"kubernetes": "v1.26.2+k3s1", "containerd": "1.6.20", "engine": "v3.259.0"}


def test_every_run_is_in_the_csv_with_its_load() -> None:
    assert runs_table(RUNS[:1]).rows == [
        (1, K3S, "0.50", "environment", 4, 15, 15, 2),
        (1, K3S, "0.50", "join", 20, 21, 4, 2),
        (1, K3S, "0.50", IN_ALL, 0, "60.0", "60.0", 4),
    ]


def test_files_of_the_runs_so_far_lie_in_one_folder(tmp_path: Path) -> None:
    report = write(RUNS[:1], {K3S: {"kubernetes": "v1"}}, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("runs.csv", "seconds-per-step.csv", "steps-overlap.csv", "goals.csv"),
        *("tables.md", "table3.png", "versions.json"),
    }
    with (tmp_path / "runs.csv").open(newline="") as file:
        assert len(list(csv.reader(file))) == 4
    assert report.remarks == [
        "The paper's steps follow each other, ours overlap; its sums without monitoring: k3s 258 s."
    ]


def test_the_drawing_is_a_png(tmp_path: Path) -> None:
    draw(tmp_path / "figure.png", work_seconds(RUNS), "title")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")

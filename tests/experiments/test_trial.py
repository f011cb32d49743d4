"""Trials of sites, with a shell in the place of the lab and the engine."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest
import yaml

from experiments import site_command
from experiments.distributions import AGENT_HOST, LABS, SERVER_HOST
from experiments.goals import at_most
from experiments.process import started
from experiments.report import Report
from experiments.trial import CHECKOUT, CommandFailed, Trial

PREFIX = "10.99.66."


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    return Trial("t3-k3s", PREFIX, tmp_path)


@pytest.mark.parametrize("distribution", list(LABS))
def test_a_trials_site_file_is_the_labs_but_for_name_and_network(tmp_path: Path, distribution: str) -> None:
    trial = Trial(f"t3-{distribution}", PREFIX, tmp_path, like=LABS[distribution])
    site = yaml.safe_load(trial.config.read_text())["config"]["kubevc:site"]
    assert site["name"] == f"t3-{distribution}"
    assert site["kubernetes"]["distribution"] == distribution
    assert site["ssh"]["private-key-file"] == f"/var/lib/kubevc/lab/t3-{distribution}/id_ed25519"
    assert {node["name"]: node["address"] for node in site["nodes"]} == {
        SERVER_HOST: f"{PREFIX}11",
        AGENT_HOST: f"{PREFIX}12",
    }


def test_a_command_hears_its_input_and_all_that_it_says_is_kept(trial: Trial) -> None:
    ended = trial.run(["sh", "-c", "cat; echo no >&2; exit 3"], 3, "yes ")
    assert (ended.status, ended.said) == (3, "yes no\n")


def test_a_command_that_ends_otherwise_is_told_with_its_words(trial: Trial) -> None:
    with pytest.raises(CommandFailed) as caught:
        trial.run(["sh", "-c", "echo broken; exit 4"], 0)
    assert str(caught.value) == "sh -c echo broken; exit 4\nended with 4, not 0, and said:\nbroken\n"


def test_hosts_go_also_where_the_measurement_fails(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[str] = []
    monkeypatch.setattr(trial, "lab", lambda verb, *_: did.append(verb))
    monkeypatch.setattr(trial, "pulumi", lambda verb, *_: did.append(verb))
    with pytest.raises(ZeroDivisionError), trial.bare_hosts():
        _ = 1 / 0
    assert did == ["down", "up", "stack init", "down"]


INTERRUPTED = """
import signal
import sys
from pathlib import Path
from experiments.trial import Trial
# A shell lets what it starts in the background, these tests for one, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
trial = Trial("t3-k3s", "10.99.66.", Path(sys.argv[1]))
try:
    trial.run(["sh", "-c", "trap 'echo tidy > tidied; exit 1' TERM; touch begun; while :; do sleep 0.05; done"], 0)
finally:
    print("gone", flush=True)
"""


def test_ctrl_c_lets_the_command_tidy_up_before_the_hosts_go(tmp_path: Path) -> None:
    script = INTERRUPTED.replace("tidied", str(tmp_path / "tidied")).replace("begun", str(tmp_path / "begun"))
    (tmp_path / "folder").mkdir()
    command = [sys.executable, "-c", script, str(tmp_path / "folder")]
    with started(command, stdout=-1, stderr=-1, env={**os.environ, "PYTHONPATH": str(CHECKOUT)}) as process:
        until = time.monotonic() + 30
        while not (tmp_path / "begun").exists() and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert said == b"gone\n"
    assert (tmp_path / "tidied").read_text() == "tidy\n"


@pytest.mark.parametrize("text", ["0", "-1", "2.5", "many", ""])
def test_a_count_is_a_whole_number_above_0(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    options = site_command.parser("experiments.table3", "About.")
    options.add_argument("--repeats", type=site_command.positive)
    with pytest.raises(SystemExit):
        options.parse_args([f"--repeats={text}"])
    told = f"argument --repeats: {text!r} is no whole number above 0, and nothing would be measured; give 1 or more"
    assert told in capsys.readouterr().err


def fail() -> Report:
    raise CommandFailed("pulumi up\nended with 255")


def stop() -> Report:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("measure", "status", "told"),
    [
        (fail, 1, "pulumi up\nended with 255\n\nThe hosts are gone; what was measured before is in out.\n"),
        (stop, 130, "\nstopped; the hosts are gone, and what was measured before is in out\n"),
        (lambda: Report("r", goals=[at_most("time", 2, 1, "s")]), 1, ""),
        (lambda: Report("r", goals=[at_most("time", 1, 1, "s")]), 0, ""),
    ],
    ids=["failed", "interrupted", "missed", "met"],
)
def test_a_measurement_ends_with_a_status_and_without_a_traceback(
    measure, status: int, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert site_command.report(measure, Path("out")) == status
    assert capsys.readouterr().err == told

"""The shell scripts as such."""

import shutil
import subprocess
from pathlib import Path

import pytest

from edgehost.script import FOLDER, FOUNDATION, compose, load_script, parse_refusal

SCRIPTS = sorted(FOLDER.glob("*.sh"))
STEPS = [script.stem for script in SCRIPTS if script.stem not in FOUNDATION]


def test_shellcheck_finds_nothing() -> None:
    if not shutil.which("shellcheck"):
        pytest.skip("shellcheck is not installed")
    found = subprocess.run(["shellcheck", "-s", "sh", *map(str, SCRIPTS)], capture_output=True, text=True, check=False)
    assert found.stdout == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_every_script_is_strict_and_says_what_it_does(script: Path) -> None:
    lines = script.read_text().splitlines()
    assert lines[0] == "#!/bin/sh"
    assert lines[1].startswith("# ")
    assert "set -eu" in lines


@pytest.mark.parametrize("name", STEPS)
def test_every_step_is_used(name: str) -> None:
    sources = "".join(path.read_text() for path in FOLDER.parent.rglob("*.py"))
    assert f'"{name}"' in sources


@pytest.mark.parametrize("name", STEPS)
def test_half_a_program_does_nothing(name: str) -> None:
    program = compose(name, {"A": "x"})
    half = program[: program.rindex("kubevc_step")]
    checked = subprocess.run(["sh", "-n"], input=program, text=True, capture_output=True, check=False)
    assert checked.stderr == ""
    # All that a cut program holds are definitions: run, it writes nothing and says nothing.
    ran = subprocess.run(["sh", "-s"], input=half, text=True, capture_output=True, check=False)
    assert (ran.stdout, ran.returncode) == ("", 0)


def test_values_arrive_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = "a'b\"c $HOME `id` \\ \n\t*"
    monkeypatch.setattr("edgehost.script.load_script", lambda name: 'printf %s "$VALUE"\n' if name == "x" else "")
    ran = subprocess.run(["sh", "-s"], input=compose("x", {"VALUE": odd}), text=True, capture_output=True, check=True)
    assert ran.stdout == odd


@pytest.mark.parametrize(
    ("stderr", "found"),
    [
        ("noise\nkubevc-refusal no-space /x 1 2\n", ("no-space", "/x 1 2")),
        ("kubevc-refusal reboot\n", ("reboot", "")),
        ("some kubevc-refusal in a line\n", None),
        ("", None),
    ],
)
def test_refusals(stderr: str, found: tuple[str, str] | None) -> None:
    assert parse_refusal(stderr) == found


def test_every_refusal_of_a_script_has_a_message() -> None:
    from edgehost.refusals import TABLE

    text = "".join(load_script(script.stem) for script in SCRIPTS)
    kinds = {
        line.split("refuse ", 1)[1].split()[0] for line in text.splitlines() if "refuse " in line and "#" not in line
    }
    assert kinds <= TABLE.keys()
    assert kinds >= {"no-space", "checksum", "reboot"}

"""The stand-in under the real engine, where a set-up has put one into the user's cache."""

import os
import subprocess
from pathlib import Path

import pytest

from toolchain import engine
from toolchain.environment import variables
from toolchain.plugins import COMMAND, Installed
from toolchain.state import CHECKOUT, State

_ENGINE = engine.find()
_STAND_IN = Installed(plugin=COMMAND, source="stand-in", folder=CHECKOUT / "toolchain" / "command_provider")
pytestmark = pytest.mark.skipif(_ENGINE is None, reason="no engine is set up: python -m toolchain setup")

PROGRAM = """
import pulumi
from pulumi_command import local

step = pulumi.Config().require("step")
first = local.Command("first", create="echo made", update="echo $PULUMI_COMMAND_STDOUT again", stdin=step)
pulumi.export("out", first.stdout)
if step == "3":
    local.Command("bad", create="echo oops >&2; exit 3")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: try\nruntime: python\n")
    (tmp_path / "__main__.py").write_text(PROGRAM)
    State(tmp_path / ".state").prepare([_STAND_IN])
    return tmp_path


def pulumi(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    assert _ENGINE is not None
    environment = {**os.environ, **variables(_ENGINE, State(project / ".state"))}
    return subprocess.run(
        ["pulumi", *arguments, "--non-interactive", "--color=never"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def step(project: Path, number: int, *arguments: str) -> str:
    ran = pulumi(project, *arguments, "--stack", "dev", "--config", f"step={number}")
    assert ran.returncode == 0 or number == 3, ran.stdout + ran.stderr
    return ran.stdout


def test_up_preview_update_failure_destroy(project: Path) -> None:
    assert pulumi(project, "stack", "init", "dev").returncode == 0
    assert 'out: "made"' in step(project, 1, "up", "--yes", "--skip-preview")
    assert "2 unchanged" in step(project, 1, "preview", "--expect-no-changes")
    assert "[diff: ~stdin]" in step(project, 2, "preview")
    assert '"made again"' in step(project, 2, "up", "--yes", "--skip-preview")
    failed = step(project, 3, "up", "--yes", "--skip-preview")
    assert 'error: exit status 3: running "echo oops >&2; exit 3":\n    oops' in failed
    assert "Traceback" not in failed
    assert "2 deleted" in pulumi(project, "destroy", "--yes", "--skip-preview", "--stack", "dev").stdout

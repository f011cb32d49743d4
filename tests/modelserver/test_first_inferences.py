"""A process whose first inferences come all at the same time."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = "tests.modelserver.first_inferences"
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("attempt", range(2))
def test_first_inferences_at_the_same_time_are_answered(models: Path, attempt: int) -> None:
    # Without what the runtime does before, at least every second process stood still.
    asked = subprocess.run(
        [sys.executable, "-m", PROGRAM, str(models / "add" / "1")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert asked.stdout == "answered\n"

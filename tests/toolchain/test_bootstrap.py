"""`toolchain/bootstrap.sh`, in a project of its own that has no dependencies."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
UV = Path(".state/bootstrap/bin/uv")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder in which the script finds all that it needs."""
    uv = CHECKOUT / UV if (CHECKOUT / UV).exists() else Path(shutil.which("uv") or "no uv")
    (tmp_path / UV).parent.mkdir(parents=True)
    (tmp_path / UV).symlink_to(uv)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "empty"\nversion = "0"\nrequires-python = ">=3.11"\n')
    (tmp_path / "protos").mkdir()
    (tmp_path / "protos" / "build.py").write_text("")
    (tmp_path / "toolchain").mkdir()
    (tmp_path / "toolchain" / "debian-packages.txt").write_text("# none\n")
    shutil.copy(CHECKOUT / "toolchain" / "bootstrap.sh", tmp_path / "toolchain")
    subprocess.run([tmp_path / UV, "lock", "--quiet", "--offline"], cwd=tmp_path, check=True)
    return tmp_path


def bootstrap(project: Path, **variables: str) -> str:
    """Run the script; return what it said."""
    command = ["bash", "toolchain/bootstrap.sh"]
    done = subprocess.run(
        command, cwd=project, env={**os.environ, **variables}, capture_output=True, text=True, timeout=120, check=True
    )
    return done.stderr


def test_a_second_run_leaves_the_environment_alone_whatever_python_is_called_through(project: Path) -> None:
    shims = project / "shims"
    shims.mkdir()
    (shims / "python3").write_text(f'#!/bin/sh\nexec {shutil.which("python3")} "$@"\n')
    (shims / "python3").chmod(0o755)
    path = f"{shims}:{os.environ['PATH']}"
    assert "installing the Python packages" in bootstrap(project, PATH=path)
    mark = project / ".venv" / "mark"
    mark.touch()
    assert bootstrap(project, PATH=path) == ""
    assert mark.exists()


def test_modules_are_compiled_when_they_are_installed_and_not_again(project: Path) -> None:
    bootstrap(project)
    stamp = project / ".venv" / "compiled"
    first = stamp.stat().st_mtime_ns
    bootstrap(project)
    assert stamp.stat().st_mtime_ns == first
    later = stamp.stat().st_mtime + 10
    os.utime(project / "uv.lock", (later, later))
    bootstrap(project)
    assert stamp.stat().st_mtime_ns > first

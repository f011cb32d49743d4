"""Refusals of a machine that cannot carry a lab, and where it gets Debian from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import machine
from lab.debian import Mirrors, mirrors
from lab.errors import MachineError

CHECKOUT = Path(__file__).resolve().parents[2]


def test_missing_programs_are_told_together_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gets so far")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError) as caught:
        machine.check()
    message = str(caught.value)
    assert "program debootstrap" in message
    assert "program systemd-nspawn" in message
    assert "apt-get install --yes debootstrap systemd-container" in message


@pytest.mark.parametrize("verb", ["up", "down", "status"])
def test_whoever_is_not_root_is_told_so(verb: str) -> None:
    as_nobody = (
        "import os, sys; from lab.__main__ import main; os.geteuid() == 0 and os.seteuid(65534); sys.exit(main())"
    )
    command = [sys.executable, "-c", as_nobody, verb]
    ended = subprocess.run(command, cwd=CHECKOUT, text=True, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (
        1,
        "lab: this machine: you are not root\n"
        "  why it matters: only root can start containers and networks, and only root may have the hosts' keys\n"
        "  what to do: run it as root: sudo -E .venv/bin/python -m lab VERB\n",
    )


def test_debian_comes_from_this_machines_sources(tmp_path: Path) -> None:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(
        "# deb http://old.example/debian bookworm main\n"
        "deb [arch=amd64] http://near.example/debian/ bookworm main contrib\n"
        "deb-src http://sources.example/debian bookworm main\n"
    )
    (tmp_path / "sources.list.d" / "security.sources").write_text(
        "Types: deb\nURIs: http://safe.example/security\nSuites: bookworm-security\nComponents: main\n"
        "\nTypes: deb-src\nURIs: http://sources.example\nSuites: bookworm-security\n"
    )
    assert mirrors(tmp_path) == Mirrors(main="http://near.example/debian", security="http://safe.example/security")


def test_debian_comes_from_its_own_archive_where_the_sources_are_of_no_use(tmp_path: Path) -> None:
    (tmp_path / "sources.list").write_text("deb https://archive.ubuntu.example/ubuntu noble main\n")
    own = Mirrors(main="http://deb.debian.org/debian", security="http://deb.debian.org/debian-security")
    assert mirrors(tmp_path) == own

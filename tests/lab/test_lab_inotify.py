"""The kernel limit that labs share: raised for the first, put back after the last."""

from pathlib import Path

import pytest

from lab import inotify


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file that stands for the kernel's setting."""
    file = tmp_path / "max_user_instances"
    monkeypatch.setattr(inotify, "LIMIT", file)
    monkeypatch.setattr(inotify, "BEFORE", tmp_path / "before")
    return file


def test_a_low_limit_is_raised_once_and_put_back(limit: Path) -> None:
    limit.write_text("128\n")
    inotify.raise_limit()
    inotify.raise_limit()
    assert int(limit.read_text()) == inotify.NEEDED
    inotify.restore_limit()
    assert limit.read_text() == "128\n"
    assert not inotify.BEFORE.exists()


def test_a_limit_that_is_high_enough_is_left_alone(limit: Path) -> None:
    limit.write_text("8192\n")
    inotify.raise_limit()
    inotify.restore_limit()
    assert limit.read_text() == "8192\n"

"""A cache of its own for every test: nothing here reads or writes the user's."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("KUBEVC_CACHE", str(folder))
    return folder

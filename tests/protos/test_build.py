"""Generating the stubs: when, and what the result looks like."""

from __future__ import annotations

from pathlib import Path

import pytest

from protos import build


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree of .proto files apart from the real one."""
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "a.proto").write_text('syntax = "proto3";\npackage a;\nmessage A { string b = 1; }\n')
    monkeypatch.setattr(build, "SOURCES", tmp_path)
    monkeypatch.setattr(build, "STUBS", tmp_path / "stubs")
    return tmp_path


def test_it_generates_once_and_again_when_a_source_changes(sources: Path) -> None:
    assert build.build_if_stale()
    assert not build.build_if_stale()
    (sources / "tensorflow" / "a.proto").write_text('syntax = "proto3";\npackage a;\nmessage A { string c = 1; }\n')
    assert build.build_if_stale()
    assert "c" in (sources / "stubs" / "tensorflow" / "a_pb2.pyi").read_text()


def test_every_folder_is_a_package_and_nothing_else_is_left_behind(sources: Path) -> None:
    build.build()
    assert sorted(path.name for path in (sources / "stubs" / "tensorflow").iterdir()) == [
        "__init__.py",
        "a_pb2.py",
        "a_pb2.pyi",
    ]
    assert sorted(path.name for path in sources.iterdir()) == ["stubs", "tensorflow"]


def test_a_broken_source_keeps_the_old_stubs(sources: Path, capfd: pytest.CaptureFixture[str]) -> None:
    build.build()
    (sources / "tensorflow" / "a.proto").write_text("message {")
    assert build.main([]) == 1
    assert "protoc refused the files below" in capfd.readouterr().err
    assert (sources / "stubs" / "tensorflow" / "a_pb2.py").exists()

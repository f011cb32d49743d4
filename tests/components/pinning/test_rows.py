"""Changing a table: in one step, and only the rows that are meant."""

from pathlib import Path

import pytest

from components.artifacts import Entry, read_table
from components.errors import LockTableError
from components.pinning import rows

NEW = Entry(name="tool", version="v1.0.0", architecture="arm64", url="https://example.org/tool", sha256="5e" * 32)


def test_a_table_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    assert rows.write(path, [NEW]) == 1
    assert read_table(path).entries == (NEW,)


def test_rows_are_indented_as_those_that_are_there(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    path.write_text("artifacts:\n- {name: other, version: v1, architecture: any, url: other}")
    assert rows.write(path, [NEW]) == 1
    assert path.read_text().splitlines()[2].startswith("- {name: tool, ")


def test_a_row_without_a_checksum_gets_it_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    own = "{name: tool, version: v1.0.0, architecture: arm64, url: mirror/tool}"
    last = "{name: other, version: v1, architecture: any, url: other}"
    path.write_text(f"artifacts:\n  - {own}\n  - {last}\n")
    assert rows.write(path, [NEW]) == 1
    assert path.read_text() == f"artifacts:\n  - {own[:-1]}, sha256: {'5e' * 32}}}\n  - {last}\n"


def test_a_row_over_several_lines_is_left_with_the_words_to_add(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    text = "artifacts:\n  - name: tool\n    version: v1.0.0\n    architecture: arm64\n    url: mirror/tool\n"
    path.write_text(text)
    with pytest.raises(LockTableError) as refused:
        rows.write(path, [NEW])
    assert str(refused.value) == (
        "tool v1.0.0 arm64\n"
        "    found: a row that is not on one line in braces\n"
        "    why:   Only such rows are changed by this command.\n"
        f"    fix:   Add by hand: sha256: {'5e' * 32}"
    )
    assert path.read_text() == text


@pytest.mark.parametrize("text", ["artifacts: []\n", "artifacts:\n  - {\n    name: a, version: v1\n"])
def test_a_table_of_another_form_is_left_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.yaml"
    path.write_text(text)
    with pytest.raises(LockTableError):
        rows.write(path, [NEW])
    assert path.read_text() == text
    assert [file.name for file in tmp_path.iterdir()] == ["table.yaml"]


def test_the_refusal_shows_the_row_to_write(tmp_path: Path) -> None:
    path = tmp_path / "table.yaml"
    path.write_text("artifacts: []\n")
    with pytest.raises(LockTableError) as refused:
        rows.write(path, [NEW])
    assert str(refused.value) == (
        f"{path}\n"
        "    found: a table whose last part is not a list with one row per line\n"
        "    why:   Rows are added as lines at its end. Nothing was written.\n"
        "    fix:   Write its rows so, or name another table. The first row is: - {name: tool, version: v1.0.0, "
        f'architecture: arm64, url: "https://example.org/tool", sha256: {"5e" * 32}}}'
    )


def test_a_failed_write_leaves_the_table_and_nothing_beside_it(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    before = table.read_bytes()
    monkeypatch.setattr(rows.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        rows.write(table, [NEW])
    assert table.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [table.name]


def test_a_link_and_the_mode_stay(tmp_path: Path, table: Path) -> None:
    table.chmod(0o640)
    link = tmp_path / "link.yaml"
    link.symlink_to(table)
    rows.write(link, [NEW])
    assert link.is_symlink()
    assert read_table(table).entries[-1] == NEW
    assert table.stat().st_mode & 0o777 == 0o640

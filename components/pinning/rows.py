"""Changing a lock table: rows are added or completed, everything else keeps its bytes."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from components.artifacts import Entry, read_table
from components.errors import LockTableError

EMPTY = "artifacts:\n"


def write(path: Path, pinned: Sequence[Entry]) -> int:
    """Bring rows into a table in one step, and return how many of them changed it.

    Raises:
        LockTableError: A row has another checksum already, or the table cannot be changed so.
    """
    before = path.read_text() if path.exists() else EMPTY
    present = read_table(path).entries if path.exists() else ()
    text, count = before, 0
    for entry in dict.fromkeys(pinned):
        same = [row for row in present if row.identity == entry.identity]
        _refuse_another_checksum(path, same, entry)
        if any(row.sha256 for row in same):
            continue
        text = _completed(text, same[-1], entry) if same else _appended(text, entry)
        count += 1
    if count:
        _replace(path, text, pinned)
    return count


def _refuse_another_checksum(path: Path, rows: Iterable[Entry], entry: Entry) -> None:
    for row in rows:
        if row.sha256 not in (None, entry.sha256):
            raise LockTableError(
                where=f"{path}: {entry.identity}",
                found=f"sha256 {row.sha256}, and the publisher now says {entry.sha256}",
                why="A published file never changes: somebody replaced it, or the row was wrong. Nothing was written.",
                fix="Ask a second source which is right; if it is the publisher, delete the row and run this again.",
            )


def _completed(text: str, row: Entry, entry: Entry) -> str:
    line = re.compile(
        rf"^(?=.*name: {re.escape(row.name)}\b)(?=.*version: ['\"]?{re.escape(row.version)}['\"]?\s*[,}}])"
        rf"(?=.*architecture: {row.architecture}\b)(\s*- \{{.*)\}}\s*$",
        flags=re.M,
    )
    changed, count = line.subn(rf"\1, sha256: {entry.sha256}}}", text)
    if count != 1:
        raise LockTableError(
            where=entry.identity,
            found="a row that is not on one line in braces",
            why="Only such rows are changed by this command.",
            fix=f"Add by hand: sha256: {entry.sha256}",
        )
    return changed


def _appended(text: str, entry: Entry) -> str:
    indents = re.findall(r"^( *)- ", text, flags=re.M)
    return f"{text.rstrip()}\n{indents[-1] if indents else '  '}- {as_row(entry)}\n"


def as_row(entry: Entry) -> str:
    """Return an entry as tables write it: on one line, in braces."""
    parts = [f"name: {entry.name}", f"version: {entry.version}", f"architecture: {entry.architecture}"]
    parts += [f'url: "{entry.url}"']
    parts += [f'checksums-url: "{entry.checksums_url}"'] if entry.checksums_url else []
    parts += [f'image: "{entry.image}"'] if entry.image else []
    return f"{{{', '.join([*parts, f'sha256: {entry.sha256}'])}}}"


def _replace(path: Path, text: str, pinned: Sequence[Entry]) -> None:
    # A link stays a link: the file behind it is replaced.
    target = path.resolve()
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    new = Path(name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.chmod(target.stat().st_mode if target.exists() else 0o644)
        _refuse_unread(path, new, pinned)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def _refuse_unread(path: Path, new: Path, pinned: Sequence[Entry]) -> None:
    try:
        found = {(row.identity, row.sha256) for row in read_table(new).entries}
    except LockTableError:
        found = set[tuple[str, str | None]]()
    if missing := [entry for entry in pinned if (entry.identity, entry.sha256) not in found]:
        raise LockTableError(
            where=str(path),
            found="a table whose last part is not a list with one row per line",
            why="Rows are added as lines at its end. Nothing was written.",
            fix=f"Write its rows so, or name another table. The first row is: - {as_row(missing[0])}",
        )

"""The two things that `make pin` does: rows for a release, and checksums for rows that lack one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from components.artifacts import Entry, read_table
from components.pinning.errors import NotPublished, PinError
from components.pinning.proof import Checked, Listed, Tools
from components.pinning.releases import PublishedFile, Upstream, wanted

Say = Callable[[str], None]


def pin_release(request: str, upstream: Upstream, tools: Tools, say: Say) -> list[Entry]:
    """Return the rows of a release, `NAME=VERSION`, for each architecture that has all of its files.

    Raises:
        PinError: The release is not known or not published, or something of it cannot be trusted.
    """
    release, version = wanted(request)
    rows: list[Entry] = []
    absent: list[NotPublished] = []
    for architecture, files in groupby(release.files(upstream, version), key=lambda file: file.architecture):
        try:
            rows += [_pin(file, version, tools, say) for file in files]
        except NotPublished as missing:
            absent.append(missing)
            say(f"{request} {architecture}: no row; {missing.problem.where}: {missing.problem.found}")
    if not rows:
        raise absent[0]
    return rows


def _pin(file: PublishedFile, version: str, tools: Tools, say: Say) -> Entry:
    checked = file.proof.check(file.url, tools)
    entry = Entry(
        name=file.name,
        version=version,
        architecture=file.architecture,
        url=file.url,
        checksums_url=file.proof.checksums_url,
        sha256=checked.sha256,
        image=file.image,
    )
    say(f"{entry.identity}: {checked.sha256} {checked.origin}")
    return entry


def complete_rows(path: Path, tools: Tools, say: Say) -> list[Entry]:
    """Return a table's rows that lack a sha256, with it.

    Raises:
        LockTableError: The table cannot be read, or a checksum cannot be found.
    """
    rows: list[Entry] = []
    for entry in read_table(path).entries:
        if entry.sha256 is None:
            checked = _look_up(entry, path, tools)
            say(f"{entry.identity}: {checked.sha256} {checked.origin}")
            rows.append(entry.model_copy(update={"sha256": checked.sha256}))
    return rows


def _look_up(entry: Entry, path: Path, tools: Tools) -> Checked:
    if "://" not in entry.url:
        raise PinError(
            where=f"{path}: {entry.identity}",
            found=f"{entry.url}, which is below a mirror or beside the table",
            why="There is no publisher to ask.",
            fix=f"Add by hand what this prints: sha256sum {path.parent / entry.url}",
        )
    if entry.checksums_url is not None:
        return Listed(checksums_url=entry.checksums_url).check(entry.url, tools)
    origin = f"computed from what {entry.url} gave now; compare it with another source"
    return Checked(sha256=tools.downloader.checksum(entry.url), origin=origin)

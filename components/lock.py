"""Fill in a checksum of a table: python -m components.lock TABLE NAME VERSION ARCHITECTURE

The publisher's own list of checksums decides where the row names one (`checksums-url`); otherwise the file is
downloaded once and its checksum pins what came, which the command says.
"""

from __future__ import annotations

import hashlib
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlparse

from components.artifacts import Entry, read_table
from components.errors import LockTableError

CHUNK_BYTES = 1 << 20
TIMEOUT_SECONDS = 30


def listed_checksum(listing: str, url: str) -> str | None:
    """Return the checksum that a publisher's list gives for the file of a URL."""
    name = PurePosixPath(unquote(urlparse(url).path)).name
    for line in listing.splitlines():
        match line.split():
            case [checksum, file] if file.lstrip("*") == name:
                return checksum
            case _:
                pass
    return None


def with_checksum(text: str, entry: Entry, checksum: str) -> str:
    """Return a table's text with the checksum written into the entry's row; every other byte stays.

    Raises:
        LockTableError: The row is not written on one line in braces.
    """
    row = re.compile(
        rf"^(?=.*name: {re.escape(entry.name)}\b)(?=.*version: ['\"]?{re.escape(entry.version)}['\"]?\s*[,}}])"
        rf"(?=.*architecture: {entry.architecture}\b)(\s*- \{{.*)\}}\s*$",
        flags=re.M,
    )
    changed, count = row.subn(rf"\1, sha256: {checksum}}}", text)
    if count != 1:
        raise LockTableError(
            where=entry.identity,
            found="a row that is not on one line in braces",
            why="Only such rows are changed by this command.",
            fix=f"Add by hand: sha256: {checksum}",
        )
    return changed


def _fetch_text(url: str) -> str:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
        return answer.read().decode()


def _fetch_checksum(url: str) -> str:
    digest = hashlib.sha256()
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
        while chunk := answer.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def checksum_of(entry: Entry) -> tuple[str, str]:
    """Return an entry's checksum and the sentence that says where it is from.

    Raises:
        LockTableError: The publisher's list does not have the file.
        OSError: The download failed.
    """
    if entry.checksums_url is None:
        return _fetch_checksum(entry.url), f"computed from what {entry.url} gave now; compare it with another source"
    checksum = listed_checksum(_fetch_text(entry.checksums_url), entry.url)
    if checksum is None:
        raise LockTableError(
            where=entry.identity,
            found=f"no line for it in {entry.checksums_url}",
            why="The publisher's list decides what the file must be.",
            fix="Correct url or checksums-url in its row.",
        )
    return checksum, f"from {entry.checksums_url}"


def fill_in(path: Path, name: str, version: str, architecture: str) -> str:
    """Write a missing checksum into a table and return the sentence that says what was done.

    Raises:
        LockTableError: The table has no such row, or its checksum cannot be found.
        OSError: The download failed.
    """
    entry = read_table(path).find(name, version, architecture)
    if entry is None:
        raise LockTableError(
            where=str(path),
            found=f"no row for {name} {version} {architecture}",
            why="The row says where the file is.",
            fix="Add it, without sha256, and run this again.",
        )
    if entry.sha256 is not None:
        return f"{entry.identity} already has a sha256; nothing was changed."
    checksum, origin = checksum_of(entry)
    path.write_text(with_checksum(path.read_text(), entry, checksum))
    return f"{entry.identity}: {checksum} ({origin})"


def main(arguments: list[str]) -> int:
    """Run the command; return its exit status."""
    match arguments:
        case [path, name, version, architecture]:
            pass
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    try:
        print(fill_in(Path(path), name, version, architecture))
    except (LockTableError, OSError, urllib.error.URLError) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

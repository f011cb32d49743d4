"""Reading a publisher's list of checksums."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlparse

SHA256 = re.compile(r"[0-9a-f]{64}")


def file_name(url: str) -> str:
    """Return the name of the file that a URL leads to."""
    return PurePosixPath(unquote(urlparse(url).path)).name


def listed_checksum(listing: str, url: str) -> str | None:
    """Return the sha256 that a publisher's list gives for the file of a URL.

    Lists have one `<sha256>  <file>` per line, with or without folders and the star of binary mode (`sha256sum`), or
    are the checksum of their one file and nothing else (dl.k8s.io).
    """
    if SHA256.fullmatch(alone := listing.strip()):
        return alone
    for line in listing.splitlines():
        match line.split():
            case [checksum, file] if SHA256.fullmatch(checksum) and file.lstrip("*").split("/")[-1] == file_name(url):
                return checksum
            case _:
                pass
    return None

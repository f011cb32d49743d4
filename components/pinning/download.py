"""Reading what a publisher has, with a bounded number of tries."""

from __future__ import annotations

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from components.pinning.errors import DownloadFailed, NotPublished

CHUNK_BYTES = 1 << 20
LIST_LIMIT_BYTES = 1 << 20
"""Lists of checksums are some kilobytes; more than this is an answer to something else."""
GONE = (404, 410)

Result = TypeVar("Result")


@dataclass(frozen=True, kw_only=True)
class Downloader:
    """How publishers are asked.

    Its methods raise `NotPublished` where the publisher has no such file, which is never asked twice, and
    `DownloadFailed` where every try failed.
    """

    timeout_seconds: float = 30
    """Longest silence of a publisher."""
    tries: int = 3
    pause_seconds: float = 2
    """Wait after the first failed try; each further wait is as much longer."""

    def text(self, url: str) -> str:
        """Return a small text."""
        return self._try(url, lambda answer: answer.read(LIST_LIMIT_BYTES).decode(errors="replace"))

    def checksum(self, url: str) -> str:
        """Return the sha256 of a file without keeping it."""
        return self._try(url, lambda answer: _pass_on(answer, len))

    def file(self, url: str, path: Path) -> str:
        """Write a file and return its sha256."""

        def keep(answer: http.client.HTTPResponse) -> str:
            with path.open("wb") as file:
                return _pass_on(answer, file.write)

        return self._try(url, keep)

    def _try(self, url: str, use: Callable[[http.client.HTTPResponse], Result]) -> Result:
        for count in range(1, self.tries):
            try:
                return self._once(url, use)
            except DownloadFailed:
                time.sleep(self.pause_seconds * count)
        return self._once(url, use)

    def _once(self, url: str, use: Callable[[http.client.HTTPResponse], Result]) -> Result:
        try:
            with urllib.request.urlopen(url, timeout=self.timeout_seconds) as answer:
                _refuse_downgrade(url, answer.geturl())
                return use(answer)
        except urllib.error.HTTPError as status:
            status.close()
            if status.code in GONE:
                raise not_published(url, f"the answer {status.code}") from status
            raise self._failure(url, f"the answer {status.code} {status.reason}") from status
        except (OSError, ValueError, http.client.HTTPException) as problem:
            raise self._failure(url, f"no answer: {problem}") from problem

    def _failure(self, url: str, found: str) -> DownloadFailed:
        return DownloadFailed(
            where=url,
            found=found,
            why=f"What the publisher says of its files is read here; {self.tries} tries failed.",
            fix="Run this on a machine that reaches the address, and again if the publisher had a fault.",
        )


def not_published(url: str, found: str) -> NotPublished:
    """Return the problem of a file that a publisher does not have."""
    return NotPublished(
        where=url,
        found=found,
        why="The publisher has no such file.",
        fix="Check the version at the publisher; it is written as in its tag, with the leading v.",
    )


def _pass_on(answer: http.client.HTTPResponse, use: Callable[[bytes], object]) -> str:
    digest = hashlib.sha256()
    while chunk := answer.read(CHUNK_BYTES):
        digest.update(chunk)
        use(chunk)
    return digest.hexdigest()


def _refuse_downgrade(asked: str, answered: str) -> None:
    # Over plain HTTP anybody on the way could write the checksum that a file of their own has.
    if asked.startswith("https:") and not answered.startswith("https:"):
        raise ValueError(f"it leads to {answered}, which is not encrypted")

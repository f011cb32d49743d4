"""What can be wrong with a site, as one tree.

    SiteError                 carries every problem found, reported together
    ├── SiteFileError         the file alone tells (keys, types, rules, files it names)
    └── HostsNotReady         the hosts' facts tell (before anything is written)
    LockTableError            a table of artifacts cannot be read or filled in

A user's mistake is shown without a traceback: `load.py` and `fleet.py` turn these into Pulumi's `RunError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong, told in four parts."""

    where: str
    """Place as a person would point at it: `nodes > 2 > address` (counted from 1), or a host's name."""
    found: str
    """What is there."""
    why: str
    """Why it matters."""
    fix: str
    """The edit or command that mends it."""

    def __str__(self) -> str:
        return f"{self.where}\n    found: {self.found}\n    why:   {self.why}\n    fix:   {self.fix}"


def numbered(count: int, noun: str) -> str:
    """Return a count with its noun: `1 problem`, `3 problems`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


class SiteError(Exception):
    """Tell every problem of a site at once."""

    def __init__(self, subject: str, problems: Sequence[Problem]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        super().__init__(subject, self.problems)

    def __str__(self) -> str:
        lines = [f"{self.subject}: {numbered(len(self.problems), 'problem')}"]
        lines += [f"\n  {problem}" for problem in self.problems]
        return "\n".join(lines)


class SiteFileError(SiteError):
    """Tell what is wrong with a site's file."""


class HostsNotReady(SiteError):
    """Tell what keeps hosts from being set up."""


class LockTableError(Exception):
    """Tell what is wrong with a table of artifacts."""

    def __init__(self, *, where: str, found: str, why: str, fix: str) -> None:
        self.problem = Problem(where=where, found=found, why=why, fix=fix)
        super().__init__(self.problem)

    def __str__(self) -> str:
        return str(self.problem)

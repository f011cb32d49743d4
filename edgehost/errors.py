"""Every refusal of the provider, as one tree.

    EdgehostError
    ├── InputError            an argument that cannot be right, found before any host is asked
    ├── TunnelError           there is no way through a host to its cluster's API
    ├── AccessError           the host was not entered
    │   ├── KeyFileError          the private key is missing or cannot be used
    │   ├── KnownHostsError       the known_hosts file is missing
    │   ├── Unreachable           nothing answered, or the connection was lost
    │   ├── HostKeyUnknown        the known_hosts file does not name the host
    │   ├── HostKeyMismatch       the host showed another key than the pinned one
    │   ├── LoginRefused          the host does not accept the user's key
    │   └── NotRoot               the user may not act as root
    └── StepError             a step on an entered host failed
        ├── CommandFailed, CommandTimedOut
        ├── NoSpace, ChecksumMismatch, DownloadFailed
        ├── RebootNeeded          done, but only a reboot makes it real
        └── NotReady              a cluster or node that did not become ready in time

A message has four parts: where, what was found, why it matters, what to do.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """Say one problem to a person in four parts.

    Attributes:
        where: The host and the step, or the argument.
        found: What was found there.
        why: Why the run cannot go on, or what was left undone.
        remedy: The edit or the command that puts it right.
    """

    where: str
    found: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}. {self.why} {self.remedy}"


class EdgehostError(Exception):
    """Refuse, with a message for a person."""

    def __init__(self, where: str, found: str, why: str, remedy: str) -> None:
        self.message = Message(where, found, why, remedy)
        super().__init__(str(self.message))


class InputError(EdgehostError):
    """Refuse an argument before any host is asked; `where` is the argument's path."""


class TunnelError(EdgehostError):
    """Say that there is no way through a host to its cluster's API."""


class AccessError(EdgehostError):
    """Say that a host was not entered; nothing was changed on it."""


class KeyFileError(AccessError):
    """Say that the private key cannot be used."""


class KnownHostsError(AccessError):
    """Say that there is no file of pinned host keys."""


class Unreachable(AccessError):
    """Say that a host did not answer or that its connection was lost."""


class HostKeyUnknown(AccessError):
    """Say that no key is pinned for a host."""


class HostKeyMismatch(AccessError):
    """Say that a host showed another key than the pinned one."""


class LoginRefused(AccessError):
    """Say that a host does not accept the login."""


class NotRoot(AccessError):
    """Say that the login cannot act as root."""


class StepError(EdgehostError):
    """Say that a step on a host failed."""


class CommandFailed(StepError):
    """Say that a step ended with an error of its own."""


class CommandTimedOut(StepError):
    """Say that a step did not end in its time."""


class NoSpace(StepError):
    """Say that a file system of the host is too full."""


class ChecksumMismatch(StepError):
    """Say that a file is not the one that was asked for."""


class DownloadFailed(StepError):
    """Say that the host could not fetch a file."""


class RebootNeeded(StepError):
    """Say that a change waits for a reboot of the host."""


class NotReady(StepError):
    """Say that a cluster or a node did not become ready in time."""

"""What keeps a release from being pinned, as one tree.

LockTableError
└── PinError              carries the address or file it is about
    ├── NotPublished          the publisher does not have the file
    ├── DownloadFailed        the publisher could not be asked
    └── SignatureRefused      a signature is wrong, or is missing where it is required
"""

from __future__ import annotations

from components.errors import LockTableError


class PinError(LockTableError):
    """Tell what keeps a release from being pinned."""


class NotPublished(PinError):
    """Tell that a publisher does not have a file."""


class DownloadFailed(PinError):
    """Tell that a publisher could not be asked."""


class SignatureRefused(PinError):
    """Tell that a signature is wrong, or is missing where it is required."""

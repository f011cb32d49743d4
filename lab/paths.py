"""Where the lab keeps things: what all clones share, and what belongs to one instance."""

import os
from pathlib import Path

STATE = Path("/var/lib/kubevc/lab")
"""One folder per instance, mode 0700."""

ROOM = Path(__file__).resolve().parent
"""This package's folder."""

CHECKOUT = ROOM.parent
"""The checkout that runs the lab: the owner of the instances it starts."""


def cache() -> Path:
    """Return the cache that all clones on this machine share (`KUBEVC_CACHE`)."""
    if named := os.environ.get("KUBEVC_CACHE"):
        return Path(named).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().resolve() / "kubevc"


def lab_cache() -> Path:
    """Return the lab's part of the cache: root trees and Debian packages."""
    return cache() / "lab"


def artifacts() -> Path:
    """Return the folder that the mirror serves."""
    return cache() / "artifacts"

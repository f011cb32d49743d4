"""Memory that is not needed goes back to the node. Everything here is for glibc; elsewhere it does nothing."""

from __future__ import annotations

import ctypes

_ARENA_MAX = -8
"""glibc's M_ARENA_MAX in malloc.h."""

_ARENAS = 2


def limit_arenas() -> None:
    """Keep threads from having heaps of their own. Called before threads are started.

    Requests of several megabytes wander over many threads; each thread's heap would keep the size of the largest one.
    """
    adjust = getattr(ctypes.CDLL(None), "mallopt", None)
    if adjust is not None:
        adjust(_ARENA_MAX, _ARENAS)


def return_freed_memory() -> None:
    """Return freed memory to the kernel: reading a model frees as much as it keeps."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

"""Memory that was needed only to load a model goes back to the node."""

from __future__ import annotations

import ctypes


def return_freed_memory() -> None:
    """Ask the C library to return freed memory to the kernel: reading a model frees as much as it keeps."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    # glibc has it; musl does not and returns memory by itself.
    if trim is not None:
        trim(0)

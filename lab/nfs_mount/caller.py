"""The process whose request a FUSE thread is working on."""

import ctypes
from contextlib import suppress
from pathlib import Path

import mfusepy

from .compound import ROOT, Credential

_SIGKILL_PENDING = 1 << (9 - 1)
_AUTH_SYS_GROUPS = 16

# The library that mfusepy has loaded; these functions are not among those that it offers.
_libfuse = ctypes.CDLL("libfuse3.so.3")
_libfuse.fuse_get_context.restype = ctypes.POINTER(ctypes.c_void_p)
_libfuse.fuse_interrupted.restype = ctypes.c_int
_libfuse.fuse_get_session.restype = ctypes.c_void_p
_libfuse.fuse_session_exited.restype = ctypes.c_int


def credential() -> Credential:
    """Return whom the server is to check: user, group, and the further groups of the calling process."""
    user, group, process = mfusepy.fuse_get_context()
    if user == 0:
        return ROOT
    groups = _status(process).get("Groups", "").split()[:_AUTH_SYS_GROUPS]
    return Credential(user, group, tuple(int(one) for one in groups))


def gone() -> bool:
    """Say whether nobody waits for the answer any more: the caller was killed, or the mount is being taken away."""
    # struct fuse_context begins with the handle of the mount.
    session = _libfuse.fuse_get_session(ctypes.c_void_p(_libfuse.fuse_get_context()[0]))
    if _libfuse.fuse_interrupted() or _libfuse.fuse_session_exited(ctypes.c_void_p(session)):
        return True
    # FUSE tells of interrupts for foreground requests only; what a killed process had read ahead would block umount.
    process = mfusepy.fuse_get_context()[2]
    return process > 0 and _killed(process)


def _killed(process: int) -> bool:
    status = _status(process)
    return not status or bool(int(status.get("SigPnd", "0"), 16) & _SIGKILL_PENDING)


def _status(process: int) -> dict[str, str]:
    """Return the fields of /proc/PID/status; none for a process that is gone."""
    with suppress(OSError):
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    return {}

"""The numbers of NFS 4.0 (RFC 7530) that the client speaks, and what its errors mean to a program."""

import errno
import os
from enum import IntEnum

PROGRAM, VERSION, COMPOUND = 100003, 4, 1
ANONYMOUS_STATE = bytes(16)
"""Stands for no open file: reads and writes with it leave nothing on the server that a restart could lose."""


class Op(IntEnum):
    """Operations within a COMPOUND (RFC 7530, section 16)."""

    ACCESS = 3
    CLOSE = 4
    CREATE = 6
    GETATTR = 9
    GETFH = 10
    LINK = 11
    LOOKUP = 15
    OPEN = 18
    OPEN_CONFIRM = 20
    PUTFH = 22
    PUTROOTFH = 24
    READ = 25
    READDIR = 26
    READLINK = 27
    REMOVE = 28
    RENAME = 29
    SAVEFH = 32
    SETATTR = 34
    SETCLIENTID = 35
    SETCLIENTID_CONFIRM = 36
    WRITE = 38


class Access(IntEnum):
    """Bits of ACCESS (RFC 7530, section 16.1)."""

    READ = 0x01
    MODIFY = 0x04
    EXTEND = 0x08
    LOOKUP = 0x02
    EXECUTE = 0x20


class Status(IntEnum):
    """Statuses that the client itself does something about (RFC 7530, section 13)."""

    DELAY = 10008
    EXPIRED = 10011
    GRACE = 10013
    RESOURCE = 10018
    STALE_CLIENT_ID = 10022
    STALE_STATE_ID = 10023
    BAD_STATE_ID = 10025
    BAD_SEQUENCE_ID = 10026


ASK_AGAIN = frozenset({Status.DELAY, Status.GRACE, Status.RESOURCE})
NOT_INTRODUCED = frozenset(
    {
        Status.EXPIRED,
        Status.STALE_CLIENT_ID,
        Status.STALE_STATE_ID,
        Status.BAD_STATE_ID,
        Status.BAD_SEQUENCE_ID,
    }
)
"""What a server answers that does not know the client (any more): it restarted, or the lease is over."""

# Statuses below 60 are Unix numbers already, except for these and those above 10000.
_ERRNO = {
    63: errno.ENAMETOOLONG,
    66: errno.ENOTEMPTY,
    69: errno.EDQUOT,
    70: errno.ESTALE,
    10001: errno.ESTALE,
    10003: errno.EINVAL,
    10004: errno.EOPNOTSUPP,
    10012: errno.EAGAIN,
    10014: errno.ESTALE,
    10016: errno.EACCES,
    10029: errno.ENOTDIR,
    10032: errno.EOPNOTSUPP,
    10040: errno.EINVAL,
    10041: errno.EINVAL,
}


class NfsError(OSError):
    """The server refused an operation; `status` is its own number for the reason."""

    def __init__(self, status: int) -> None:
        number = _ERRNO.get(status, status if status < 60 else errno.EIO)
        super().__init__(number, f"{os.strerror(number)} (NFS status {status})")
        self.status = status

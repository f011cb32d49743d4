"""Ask the server: COMPOUND requests over RPC, and how long to wait for their answers."""

import errno
import itertools
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from .protocol import ASK_AGAIN, COMPOUND, PROGRAM, VERSION, NfsError, Op
from .transport import Request, Transport
from .xdr import Reader, opaque, uint

_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Credential:
    """Whom a request is made for (AUTH_SYS, RFC 5531, appendix A)."""

    user: int = 0
    group: int = 0
    groups: tuple[int, ...] = ()


ROOT = Credential()


class Asker:
    """Send COMPOUND requests and wait for their answers as a mount's options say.

    Args:
        transport: Carries them.
        limit_seconds: When a wait ends with EIO (`soft`); None waits for ever (`hard`).
        interrupted: Says whether the process that waits has been killed meanwhile.
    """

    def __init__(self, transport: Transport, limit_seconds: float | None) -> None:
        self.transport = transport
        self.limit_seconds = limit_seconds
        self.interrupted: Callable[[], bool] = lambda: False
        self._name = os.fsencode(socket.gethostname())
        self._xids = itertools.count(random.getrandbits(31))
        self._own = threading.local()

    def ask(self, operations: Sequence[bytes], credential: Credential = ROOT, until: Op | None = None) -> Reader:
        """Make the server do operations in one go.

        Args:
            operations: Encoded operations.
            credential: Whom they are done for.
            until: The operation whose result is wanted; results before it must be empty ones.

        Returns:
            The answer, at the result of `until`.

        Raises:
            NfsError: The server refused one of them.
            OSError: EIO after the limit, EINTR when the caller was killed, ETIMEDOUT within `within`.
        """
        pause = 0.1
        while True:
            status, answer = self._once(operations, credential)
            if status not in ASK_AGAIN:
                break
            if self.interrupted():
                raise OSError(errno.EINTR, os.strerror(errno.EINTR))
            time.sleep(pause)
            pause = min(pause * 2, 2.0)
        if status:
            raise NfsError(status)
        return _skip(answer, until) if until is not None else answer

    @contextmanager
    def within(self, seconds: float) -> Generator[None]:
        """Let this thread's requests wait no longer than this, whatever the mount's options say."""
        self._own.until = time.monotonic() + seconds
        try:
            yield
        finally:
            self._own.until = None

    def _once(self, operations: Sequence[bytes], credential: Credential) -> tuple[int, Reader]:
        xid = next(self._xids) & 0xFFFFFFFF
        request = self.transport.send(xid, self._message(xid, operations, credential))
        try:
            self._wait(request)
        finally:
            self.transport.forget(xid)
        answer = Reader(request.answer, 8)
        if answer.uint():
            raise OSError(errno.EACCES, "the server denies the RPC")
        answer.uint()
        answer.opaque()
        if answer.uint():
            raise OSError(errno.EPROTO, "the server does not accept the RPC")
        status = answer.uint()
        answer.opaque()
        answer.uint()
        return status, answer

    def _message(self, xid: int, operations: Sequence[bytes], credential: Credential) -> bytes:
        call, rpc_version, auth_sys, auth_none = 0, 2, 1, 0
        groups = uint(len(credential.groups), *credential.groups)
        body = uint(0) + opaque(self._name) + uint(credential.user, credential.group) + groups
        head = uint(xid, call, rpc_version, PROGRAM, VERSION, COMPOUND, auth_sys) + opaque(body) + uint(auth_none, 0)
        tag, minor_version = opaque(b""), uint(0)
        return head + tag + minor_version + uint(len(operations)) + b"".join(operations)

    def _wait(self, request: Request) -> None:
        until = getattr(self._own, "until", None)
        while not request.answered.wait(_LOOK_SECONDS):
            waited = time.monotonic() - request.since
            if self.interrupted():
                raise OSError(errno.EINTR, os.strerror(errno.EINTR))
            if until is not None and time.monotonic() > until:
                raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))
            if self.limit_seconds is not None and waited > self.limit_seconds:
                raise OSError(errno.EIO, os.strerror(errno.EIO))


def _skip(answer: Reader, until: Op) -> Reader:
    while True:
        operation, _ = answer.uint(), answer.uint()
        if operation == until:
            return answer

"""What the file system asks of the server, one method per question."""

import errno
import itertools
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from . import attributes
from .attributes import Attribute, Attributes
from .compound import ROOT, Asker, Credential
from .protocol import ANONYMOUS_STATE, NOT_INTRODUCED, NfsError, Op
from .xdr import Reader, opaque, uhyper, uint

_LARGEST_REQUEST = 1 << 20
_DIRECTORY_BYTES = 1 << 18
_FILE_SYNC = 2

Handle = bytes


@dataclass(frozen=True)
class Entry:
    """A name in a directory."""

    name: str
    attributes: Attributes


class Client:
    """An NFS 4.0 client of one export.

    Files are named by handle, or by their path from the export's root.  It keeps no state on the server: only making a
    file opens one, for the length of that call.

    Args:
        asker: Asks the server.
    """

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self.max_read = self.max_write = _LARGEST_REQUEST
        self._root: Handle = b""
        self._opener = _Opener(asker)

    def mount(self, path: str) -> None:
        """Find the export's root and how much the server takes at once.

        Raises:
            OSError: There is no such directory, or it is not ours to see.
        """
        found = self.asker.ask([uint(Op.PUTROOTFH), *_lookups(path), uint(Op.GETFH)], until=Op.GETFH)
        self._root = found.opaque()
        sizes = attributes.decode(self._get("", ROOT, uint(Op.GETATTR) + attributes.SIZES, until=Op.GETATTR))
        if sizes.get(Attribute.TYPE) != 2:
            raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        self.max_read = _pages(sizes.get(Attribute.MAX_READ, _LARGEST_REQUEST))
        self.max_write = _pages(sizes.get(Attribute.MAX_WRITE, _LARGEST_REQUEST))

    def stat(self, path: str, credential: Credential) -> Attributes:
        """Return the attributes of the object at a path."""
        return attributes.decode(self._get(path, credential, uint(Op.GETATTR) + attributes.STAT, until=Op.GETATTR))

    def stat_handle(self, handle: Handle) -> Attributes:
        """Return the attributes of an open file, which may have no name any more."""
        question = [_file(handle), uint(Op.GETATTR) + attributes.STAT]
        return attributes.decode(self.asker.ask(question, until=Op.GETATTR))

    def statfs(self) -> Attributes:
        """Return how much room the export has."""
        return attributes.decode(self._get("", ROOT, uint(Op.GETATTR) + attributes.STATFS, until=Op.GETATTR))

    def access(self, path: str, wanted: int, credential: Credential) -> int:
        """Return which of the `Access` bits the server grants."""
        answer = self._get(path, credential, uint(Op.ACCESS, wanted), until=Op.ACCESS)
        answer.uint()
        return answer.uint()

    def open(self, path: str, wanted: int, credential: Credential) -> tuple[Handle, int]:
        """Return the handle of a file and which of the `Access` bits the server grants."""
        question = [*self._at(path), uint(Op.ACCESS, wanted), uint(Op.GETFH)]
        answer = self.asker.ask(question, credential, until=Op.ACCESS)
        answer.uint()
        granted = answer.uint()
        answer.fixed(8)
        return answer.opaque(), granted

    def read(self, handle: Handle, offset: int, length: int, credential: Credential) -> tuple[Reader, int, int, bool]:
        """Read at most `length` bytes.

        Returns:
            The answer, where in it the bytes begin, how many they are, and whether the file ends there: without a copy.
        """
        question = [_file(handle), uint(Op.READ) + ANONYMOUS_STATE + uhyper(offset) + uint(length)]
        answer = self.asker.ask(question, credential, until=Op.READ)
        at_end = bool(answer.uint())
        start, count = answer.span()
        return answer, start, count, at_end

    def write(self, handle: Handle, offset: int, content: bytes, credential: Credential) -> int:
        """Write bytes onto the server's disk and return how many it took.

        They are on its disk when it answers: so a restart loses nothing that a program was told is written.
        """
        head = uint(Op.WRITE) + ANONYMOUS_STATE + uhyper(offset) + uint(_FILE_SYNC)
        return self.asker.ask([_file(handle), head + opaque(content)], credential, until=Op.WRITE).uint()

    def entries(self, path: str, credential: Credential) -> Iterator[Entry]:
        """Yield the names in a directory."""
        cookie, verifier = 0, bytes(8)
        largest = min(self.max_read, _DIRECTORY_BYTES)
        while True:
            place = uint(Op.READDIR) + uhyper(cookie) + verifier + uint(largest // 4, largest)
            answer = self._get(path, credential, place + attributes.DIRECTORY_ENTRY, until=Op.READDIR)
            verifier = answer.fixed(8)
            while answer.uint():
                cookie = answer.uhyper()
                yield Entry(os.fsdecode(answer.opaque()), attributes.decode(answer))
            if answer.uint():
                return

    def readlink(self, path: str, credential: Credential) -> str:
        """Return where a symbolic link leads."""
        return os.fsdecode(self._get(path, credential, uint(Op.READLINK), until=Op.READLINK).opaque())

    def change(self, path: str, changes: bytes, credential: Credential) -> None:
        """Change attributes, as `attributes.encode` gives them."""
        self._get(path, credential, uint(Op.SETATTR) + ANONYMOUS_STATE + changes)

    def truncate(self, handle: Handle, size: int, credential: Credential) -> None:
        """Change the size of an open file."""
        change = uint(Op.SETATTR) + ANONYMOUS_STATE + attributes.encode(size=size)
        self.asker.ask([_file(handle), change], credential)

    def create(self, path: str, mode: int, credential: Credential) -> Handle:
        """Make a regular file if there is none and return its handle."""
        directory, name = _split(path)
        return self._opener.create(self._at(directory), name, mode, credential)

    def make(self, path: str, kind: bytes, mode: int, credential: Credential) -> None:
        """Make an object that is no regular file; `kind` is its encoded type with what belongs to it."""
        directory, name = _split(path)
        self._get(directory, credential, uint(Op.CREATE) + kind + opaque(name) + attributes.encode(mode=mode))

    def remove(self, path: str, credential: Credential) -> None:
        """Remove a name; of a directory, if it is empty."""
        directory, name = _split(path)
        self._get(directory, credential, uint(Op.REMOVE) + opaque(name))

    def rename(self, old: str, new: str, credential: Credential) -> None:
        """Give an object another name."""
        (source, name), (target, new_name) = _split(old), _split(new)
        rename = uint(Op.RENAME) + opaque(name) + opaque(new_name)
        self.asker.ask([*self._at(source), uint(Op.SAVEFH), *self._at(target), rename], credential)

    def link(self, path: str, new: str, credential: Credential) -> None:
        """Give a file one more name."""
        directory, name = _split(new)
        link = uint(Op.LINK) + opaque(name)
        self.asker.ask([*self._at(path), uint(Op.SAVEFH), *self._at(directory), link], credential)

    def _at(self, path: str) -> list[bytes]:
        return [_file(self._root), *_lookups(path)]

    def _get(self, path: str, credential: Credential, operation: bytes, until: Op | None = None) -> Reader:
        return self.asker.ask([*self._at(path), operation], credential, until)


class _Opener:
    """Make regular files: the one thing for which NFS 4.0 wants the client to be known and the file to be opened."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self._boot = uhyper(time.time_ns())
        self._client: int | None = None
        self._lock = threading.Lock()
        self._owners = itertools.count(1)

    def create(self, directory: list[bytes], name: bytes, mode: int, credential: Credential) -> Handle:
        """Open with the wish to create, confirm, close; introduce the client where the server does not know it."""
        for attempt in range(3):
            try:
                return self._create(directory, name, mode, credential)
            except NfsError as error:
                if attempt == 2 or error.status not in NOT_INTRODUCED:
                    raise
                self._client = None
        raise AssertionError("the third attempt returns or raises")

    def _create(self, directory: list[bytes], name: bytes, mode: int, credential: Credential) -> Handle:
        share_both, deny_none, do_create, unchecked, claim_null = 3, 0, 1, 0, 0
        owner = uhyper(self._known()) + opaque(b"open%d" % next(self._owners))
        how = uint(do_create, unchecked) + attributes.encode(mode=mode) + uint(claim_null) + opaque(name)
        question = [*directory, uint(Op.OPEN, 0, share_both, deny_none) + owner + how, uint(Op.GETFH)]
        answer = self._asker.ask(question, credential, until=Op.OPEN)
        state, to_confirm = _open_result(answer)
        handle = answer.opaque()
        self._release(handle, state, credential, to_confirm=to_confirm)
        return handle

    def _release(self, handle: Handle, state: bytes, credential: Credential, *, to_confirm: bool) -> None:
        sequence = 1
        if to_confirm:
            confirm = [_file(handle), uint(Op.OPEN_CONFIRM) + state + uint(sequence)]
            state = self._asker.ask(confirm, credential, until=Op.OPEN_CONFIRM).fixed(16)
            sequence += 1
        try:
            self._asker.ask([_file(handle), uint(Op.CLOSE, sequence) + state], credential)
        except NfsError as error:
            # A server that restarted in between has forgotten the opening: that is as good as closed.
            if error.status not in NOT_INTRODUCED:
                raise

    def _known(self) -> int:
        with self._lock:
            if self._client is None:
                self._client = self._introduce()
            return self._client

    def _introduce(self) -> int:
        name = b"kubevc-nfs/%s/%d" % (os.fsencode(os.uname().nodename), os.getpid())
        no_callback = uint(0) + opaque(b"tcp") + opaque(b"0.0.0.0.0.0") + uint(0)
        question = [uint(Op.SETCLIENTID) + self._boot + opaque(name) + no_callback]
        answer = self._asker.ask(question, until=Op.SETCLIENTID)
        client, verifier = answer.uhyper(), answer.fixed(8)
        self._asker.ask([uint(Op.SETCLIENTID_CONFIRM) + uhyper(client) + verifier])
        return client


def _open_result(answer: Reader) -> tuple[bytes, bool]:
    """Take the result of OPEN apart (RFC 7530, section 16.16) and leave the answer at the handle after it."""
    change_info, confirm, no_delegation = 20, 2, 0
    state = answer.fixed(16)
    answer.fixed(change_info)
    flags = answer.uint()
    answer.bitmap()
    if answer.uint() != no_delegation:
        raise OSError(errno.EPROTO, "the server hands out a delegation that was not asked for")
    answer.fixed(8)
    return state, bool(flags & confirm)


def _file(handle: Handle) -> bytes:
    return uint(Op.PUTFH) + opaque(handle)


def _lookups(path: str) -> list[bytes]:
    return [uint(Op.LOOKUP) + opaque(part) for part in os.fsencode(path).split(b"/") if part]


def _split(path: str) -> tuple[str, bytes]:
    directory, name = os.path.split(path)
    return directory, os.fsencode(name)


def _pages(size: int) -> int:
    return min(size, _LARGEST_REQUEST) // 4096 * 4096

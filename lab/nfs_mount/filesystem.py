"""The file system as the kernel's FUSE sees it, answered by the NFS client."""

import ctypes
import errno
import itertools
import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import mfusepy

from . import attributes, caller
from .client import Client, Handle
from .compound import Credential
from .protocol import Access
from .xdr import opaque, uint

_ROOT_ANSWER_SECONDS = 3
_ASYNC_DIRECT_IO = 1 << 15
_KIND_NUMBERS = {kind: number for number, kind in attributes.FILE_TYPES.items()}
_DIRECTORY, _SYMBOLIC_LINK = uint(2), uint(5)
_SET_TO_NOW, _LEAVE = 2**30 - 1, 2**30 - 2


@dataclass(frozen=True)
class OpenFile:
    """A file that a process has open: its handle, and whom it was opened for."""

    handle: Handle
    credential: Credential


class NfsFileSystem(mfusepy.Operations):
    """Answer FUSE's questions out of an export.

    Args:
        client: A client that has mounted the export.
        mounted: Called once when the kernel has taken the mount.
    """

    use_ns = True

    def __init__(self, client: Client, mounted: Callable[[], None]) -> None:
        self._client, self._mounted = client, mounted
        self._open: dict[int, OpenFile] = {}
        self._numbers = itertools.count(1)
        self._root_stat = attributes.as_stat(client.stat("", Credential()))
        self._statfs = attributes.as_statfs(client.statfs())

    def init_with_config(self, conn_info: Any, config_3: Any) -> None:
        """Agree with the kernel on sizes; called when the mount is there."""
        # libfuse refuses a mount whose option max_read differs from what is said here.
        conn_info.max_read = self._client.max_read
        # Reads of a killed process that the kernel waits for in the background cannot be interrupted.
        conn_info.want &= ~_ASYNC_DIRECT_IO
        self._mounted()

    # Attributes and directories

    def getattr(self, path: str | None, fh: int | None = None) -> dict[str, Any]:
        """Return what stat() wants."""
        if path is None:
            assert fh is not None
            return attributes.as_stat(self._client.stat_handle(self._open[fh].handle))
        if path == "/":
            return self._root()
        return attributes.as_stat(self._client.stat(path, caller.credential()))

    def statfs(self, path: str) -> dict[str, int]:
        """Return how much room there is; what was known last while the server is away."""
        self._refresh(self._remember_statfs)
        return self._statfs

    def _root(self) -> dict[str, Any]:
        self._refresh(self._remember_root)
        return self._root_stat

    def _remember_root(self) -> None:
        self._root_stat = attributes.as_stat(self._client.stat("", Credential()))

    def _remember_statfs(self) -> None:
        self._statfs = attributes.as_statfs(self._client.statfs())

    def _refresh(self, ask: Callable[[], None]) -> None:
        """Ask for the root's own state in bounded time: an umount asks for it, and must not hang with the server."""
        if self._client.asker.transport.away():
            return
        try:
            with self._client.asker.within(_ROOT_ANSWER_SECONDS):
                ask()
        except OSError as error:
            if error.errno != errno.ETIMEDOUT:
                raise

    def access(self, path: str, amode: int) -> int:
        """Say whether the caller may do something; the server decides."""
        if path == "/" and self._client.asker.transport.away():
            return 0
        wanted = {os.R_OK: Access.READ, os.W_OK: Access.MODIFY, os.X_OK: Access.LOOKUP | Access.EXECUTE}
        asked = [bits for mode, bits in wanted.items() if amode & mode]
        granted = self._client.access(path, sum(asked), caller.credential())
        _refuse_unless(all(granted & bits for bits in asked))
        return 0

    def readdir(self, path: str, fh: int) -> Iterator[Any]:
        """Yield the names in a directory."""
        yield from (".", "..")
        for entry in self._client.entries(path, caller.credential()):
            yield entry.name, attributes.as_stat(entry.attributes), 0

    def readlink(self, path: str) -> str:
        """Return where a symbolic link leads."""
        return self._client.readlink(path, caller.credential())

    # Files

    def open(self, path: str, flags: int) -> int:
        """Open a file that is there."""
        mode, credential = flags & os.O_ACCMODE, caller.credential()
        reads, writes = mode != os.O_WRONLY, mode != os.O_RDONLY
        wanted = Access.READ | Access.EXECUTE | (Access.MODIFY | Access.EXTEND if writes else 0)
        handle, granted = self._client.open(path, wanted, credential)
        # Who may execute a file may have it read for that.
        _refuse_unless(not reads or bool(granted & (Access.READ | Access.EXECUTE)))
        _refuse_unless(not writes or bool(granted & Access.MODIFY))
        if writes and flags & os.O_TRUNC:
            self._client.truncate(handle, 0, credential)
        return self._remember(OpenFile(handle, credential))

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        """Make a file and open it."""
        credential = caller.credential()
        return self._remember(OpenFile(self._client.create(path, mode & 0o7777, credential), credential))

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Read; not used: `NfsFuse` reads into the kernel's buffer instead."""
        buffer = ctypes.create_string_buffer(size)
        return buffer.raw[: self.read_into(ctypes.addressof(buffer), size, offset, fh)]

    def read_into(self, address: int, size: int, offset: int, fh: int) -> int:
        """Read into memory and return how many bytes came."""
        file, done = self._open[fh], 0
        while done < size:
            asked = min(size - done, self._client.max_read)
            answer, start, count, at_end = self._client.read(file.handle, offset + done, asked, file.credential)
            if count:
                part = (ctypes.c_char * count).from_buffer(answer.content, start)
                ctypes.memmove(address + done, part, count)
            done += count
            if at_end or not count:
                break
        return done

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Write onto the server's disk."""
        file, done = self._open[fh], 0
        while done < len(data):
            part = data[done : done + self._client.max_write]
            done += self._client.write(file.handle, offset + done, part, file.credential)
        return done

    def release(self, path: str, fh: int) -> int:
        """Close a file; the server does not know of it."""
        self._open.pop(fh, None)
        return 0

    def truncate(self, path: str | None, length: int, fh: int | None = None) -> int:
        """Change a file's size."""
        if fh is not None:
            self._client.truncate(self._open[fh].handle, length, self._open[fh].credential)
        elif path is not None:
            self._client.change(path, attributes.encode(size=length), caller.credential())
        return 0

    # Changes to names and attributes

    def chmod(self, path: str, mode: int) -> int:
        """Change who may do what."""
        self._client.change(path, attributes.encode(mode=mode & 0o7777), caller.credential())
        return 0

    def chown(self, path: str, uid: int, gid: int) -> int:
        """Change owner and group; -1 leaves one as it is."""
        change = attributes.encode(owner=None if uid == -1 else uid, group=None if gid == -1 else gid)
        self._client.change(path, change, caller.credential())
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        """Change times; none given means now."""
        accessed, modified = (_time_to_set(time) for time in times or (_SET_TO_NOW, _SET_TO_NOW))
        if accessed is not None or modified is not None:
            self._client.change(path, attributes.encode(accessed=accessed, modified=modified), caller.credential())
        return 0

    def mkdir(self, path: str, mode: int) -> int:
        """Make a directory."""
        self._client.make(path, _DIRECTORY, mode & 0o7777, caller.credential())
        return 0

    def symlink(self, target: str, source: str) -> int:
        """Make a symbolic link named `target` that leads to `source`."""
        self._client.make(target, _SYMBOLIC_LINK + opaque(os.fsencode(source)), 0o777, caller.credential())
        return 0

    def mknod(self, path: str, mode: int, dev: int) -> int:
        """Make a file, pipe, socket or device."""
        kind = stat.S_IFMT(mode) or stat.S_IFREG
        if kind == stat.S_IFREG:
            self._client.create(path, mode & 0o7777, caller.credential())
            return 0
        numbers = uint(os.major(dev), os.minor(dev)) if kind in (stat.S_IFBLK, stat.S_IFCHR) else b""
        self._client.make(path, uint(_KIND_NUMBERS[kind]) + numbers, mode & 0o7777, caller.credential())
        return 0

    def unlink(self, path: str) -> int:
        """Remove a file's name."""
        self._client.remove(path, caller.credential())
        return 0

    def rmdir(self, path: str) -> int:
        """Remove an empty directory."""
        return self.unlink(path)

    def rename(self, old: str, new: str) -> int:
        """Give an object another name."""
        self._client.rename(old, new, caller.credential())
        return 0

    def link(self, target: str, source: str) -> int:
        """Give the file `source` one more name, `target`."""
        self._client.link(source, target, caller.credential())
        return 0

    def _remember(self, file: OpenFile) -> int:
        number = next(self._numbers)
        self._open[number] = file
        return number


class NfsFuse(mfusepy.FUSE):
    """libfuse's loop, with reads that go into the kernel's buffer without a copy in between."""

    operations: NfsFileSystem

    def read(self, path: Any, buf: Any, size: int, offset: int, fip: Any) -> int:
        """Read as libfuse asks for it."""
        address = ctypes.cast(buf, ctypes.c_void_p).value or 0
        return self.operations.read_into(address, size, offset, fip.contents.fh)


def _time_to_set(nanoseconds: int) -> int | None:
    if nanoseconds == _LEAVE:
        return None
    return -1 if nanoseconds == _SET_TO_NOW else nanoseconds


def _refuse_unless(granted: bool) -> None:
    if not granted:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

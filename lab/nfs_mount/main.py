"""mount.nfs for a kernel without an NFS client: leave a process behind that serves the mount.

Statuses of the program are those of mount(8): 0 mounted, 1 a wrong command line, 32 the mount failed.
"""

import errno
import os
import socket
import sys
import syslog
import threading
from pathlib import Path

from .options import MountOptions, OptionError, parse

_MOUNTED = b"mounted"
_FAILED = 32
_WAIT_SECONDS = 20
_READ_AHEAD_KIB = "4096"


def main(arguments: list[str]) -> int:
    """Mount as the command line says; return when the mount is there, or has failed."""
    try:
        options = parse(arguments)
    except OptionError as error:
        return _fail(str(error), 1 if str(error).startswith("usage") else _FAILED)
    if options.fake:
        return 0
    if not Path(options.target).is_dir():
        return _fail(f"mount point {options.target} does not exist")
    read, write = os.pipe()
    if os.fork():
        os.close(write)
        return _outcome(read)
    os.close(read)
    _detach()
    _serve(options, Outcome(write))
    os._exit(0)


class Outcome:
    """The serving process' word to the one that mount's caller waits for; it can be given once."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe

    def tell(self, word: bytes) -> None:
        """Say that it is mounted, or why not."""
        if self._pipe is not None:
            os.write(self._pipe, word)
            os.close(self._pipe)
            self._pipe = None


def _outcome(pipe: int) -> int:
    with os.fdopen(pipe, "rb") as said:
        word = said.read()
    if word == _MOUNTED:
        return 0
    return _fail(word.decode(errors="replace") or "the serving process ended without a word")


def _fail(why: str, status: int = _FAILED) -> int:
    print(f"mount.nfs: {why}", file=sys.stderr)
    return status


def _detach() -> None:
    """Become a daemon that holds nothing of its caller's: who waits for mount's output would wait for ever."""
    os.setsid()
    os.chdir("/")
    syslog.openlog("mount.nfs", syslog.LOG_PID, syslog.LOG_DAEMON)
    null = os.open("/dev/null", os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _serve(options: MountOptions, outcome: Outcome) -> None:
    try:
        _mount(options, outcome)
    except (OSError, RuntimeError, OptionError) as error:
        outcome.tell(_reason(options, error).encode())
    except Exception as error:
        # Whoever called mount sees this text only: the daemon has no other place to speak.
        syslog.syslog(f"internal error: {error!r}")
        outcome.tell(f"internal error: {error!r}".encode())


def _mount(options: MountOptions, outcome: Outcome) -> None:
    # Loading libfuse is left to the process that needs it.
    from . import caller
    from .client import Client
    from .compound import Asker
    from .filesystem import NfsFileSystem, NfsFuse
    from .transport import Transport

    target = os.path.realpath(options.target)
    transport = Transport(_resolve(options), options.port)
    transport.start(timeout_seconds=10)
    # Until it is mounted nothing may wait for ever, not even with `hard`.
    asker = Asker(transport, limit_seconds=_WAIT_SECONDS)
    client = Client(asker)
    client.mount(options.path)
    client.max_read = min(client.max_read, options.size("rsize"))
    client.max_write = min(client.max_write, options.size("wsize"))

    def mounted() -> None:
        asker.limit_seconds, asker.interrupted = options.limit_seconds, caller.gone
        # The kernel waits for this very answer, so the rest must not ask it for anything before.
        threading.Thread(target=_ready, args=(target, outcome), daemon=True).start()

    NfsFuse(
        NfsFileSystem(client, mounted),
        target,
        foreground=True,
        fsname=options.source,
        subtype="nfs",
        allow_other=True,
        max_read=client.max_read,
        max_threads=64,
        max_idle_threads=16,
        auto_cache=True,
        use_ino=True,
        attr_timeout=options.attribute_seconds,
        entry_timeout=options.attribute_seconds,
        negative_timeout=0.0,
        ac_attr_timeout=0.0,
        **options.flags(),
    )


def _resolve(options: MountOptions) -> str:
    found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
    return str(found[0][4][0])


def _ready(target: str, outcome: Outcome) -> None:
    try:
        device = next(line.split()[2] for line in _mounts() if line.split()[4] == target.replace(" ", "\\040"))
        Path(f"/sys/class/bdi/{device}/read_ahead_kb").write_text(_READ_AHEAD_KIB)
    except (OSError, StopIteration) as error:
        syslog.syslog(f"read-ahead left as it is: {error!r}")
    outcome.tell(_MOUNTED)


def _mounts() -> list[str]:
    return Path("/proc/self/mountinfo").read_text().splitlines()[::-1]


def _reason(options: MountOptions, error: Exception) -> str:
    """Return what nfs-utils' mount.nfs would say."""
    number = getattr(error, "errno", None)
    if isinstance(error, socket.gaierror):
        return f"Failed to resolve server {options.host}: {error.strerror}"
    if number == errno.ENOENT:
        return f"mounting {options.source} failed, reason given by server: No such file or directory"
    if number == errno.EACCES:
        return f"access denied by server while mounting {options.source}"
    if isinstance(error, RuntimeError):
        return f"FUSE could not mount on {options.target}: status {error}"
    return getattr(error, "strerror", None) or str(error)

"""A host for one test: this machine's userland under an overlay, in namespaces of its own, behind a real SSH server.

Nothing that happens in it reaches the machine: files go to a tmpfs, network settings belong to a network namespace.
There is no systemd in it; what needs one is tested on the lab's hosts.
"""

import asyncio
import contextlib
import shutil
import subprocess
import sys
import textwrap
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncssh
from asyncssh.constants import OPEN_ADMINISTRATIVELY_PROHIBITED

from edgehost.address import HostAddress
from edgehost.login import Login

START_SECONDS = 20
CHUNK_BYTES = 1 << 16
INSIDE = """
    set -eu
    mount -t tmpfs tmpfs "$1"
    mkdir "$1/upper" "$1/work" "$1/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
    cd "$1/root"
    mount -t proc proc proc
    mount -t tmpfs tmpfs run
    mkdir -p run/lock
    mount --rbind /dev dev
    ip link set lo up
    # A new network namespace takes its settings from the machine, which may forward.
    echo 0 > proc/sys/net/ipv4/ip_forward
    touch run/started
    exec unshare --root="$PWD" --wd=/ sleep infinity
"""


@dataclass
class DisposableHost:
    """Hold the namespaces of one test's host.

    Attributes:
        process: The first process in them.
        folder: A folder of this machine for keys.
        calls: Every command that came over SSH, for tests that look for secrets in them.
        children: The processes that serve them.
        forwards: Whether its SSH server lets a client connect through it.
    """

    process: subprocess.Popen[bytes]
    folder: Path
    calls: list[str] = field(default_factory=list[str])
    children: list[asyncio.subprocess.Process] = field(default_factory=list[asyncio.subprocess.Process])
    forwards: bool = True

    def run(self, command: str, stdin: str = "", *, check: bool = True) -> str:
        """Run a shell command on the host as root, without SSH, and return what it printed."""
        result = subprocess.run(
            [*self.entrance("root"), "sh", "-c", command], input=stdin, capture_output=True, text=True, check=False
        )
        if check and result.returncode:
            raise AssertionError(f"{command}: {result.stderr}")
        return result.stdout

    def write(self, path: str, content: str) -> None:
        """Write a file on the host."""
        self.run(f"mkdir -p $(dirname {path}); cat > {path}", content)

    def serve(self, folder: Path, port: int) -> None:
        """Serve a folder over HTTP, with ranges, inside the host's own network."""
        server = Path(__file__).with_name("range_server.py")
        self.run(f"setsid {sys.executable} {server} {folder} {port} > /run/requests 2>&1 < /dev/null &")
        self.run(f"for _ in $(seq 200); do curl -s -o /dev/null 127.0.0.1:{port} && exit; sleep 0.1; done; exit 1")

    def requests(self) -> list[str]:
        """List what was asked of the HTTP server: method, path and range."""
        return self.run("cat /run/requests").splitlines()

    def allow_sudo(self) -> None:
        """Let every user become root by `sudo -n COMMAND`, by a set-user-id copy of setpriv."""
        self.run("cp $(command -v setpriv) /usr/bin/become-root && chmod 4755 /usr/bin/become-root")
        program = 'shift; exec become-root --reuid=0 --regid=0 --clear-groups "$@"'
        self.write("/usr/bin/sudo", f"#!/bin/sh\n{program}\n")
        self.run("chmod 0755 /usr/bin/sudo")

    def entrance(self, user: str) -> list[str]:
        """Return the command that enters the host's namespaces as a user."""
        first = subprocess.run(["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=True)
        enter = ["nsenter", "-t", first.stdout.split()[0], "--mount", "--pid", "--net", "--root", "--wd"]
        become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        return [*enter, *([] if user == "root" else become)]


@contextlib.contextmanager
def disposable_host(folder: Path) -> Iterator[DisposableHost]:
    """Start a host, and end every process of it afterwards."""
    mountpoint = folder / "host"
    mountpoint.mkdir()
    command = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child"]
    process = subprocess.Popen([*command, "sh", "-c", textwrap.dedent(INSIDE), "sh", str(mountpoint)])
    host = DisposableHost(process, folder)
    try:
        _wait_until_started(host)
        yield host
    finally:
        process.kill()
        process.wait()


def _wait_until_started(host: DisposableHost) -> None:
    for _ in range(START_SECONDS * 20):
        with contextlib.suppress(AssertionError, subprocess.CalledProcessError, IndexError):
            # The last step of the start changes the root; from there on /run is the host's own.
            if host.run("test -e /run/started && echo yes").strip() == "yes":
                return
        if host.process.poll() is not None:
            raise AssertionError("the disposable host did not start; see its stderr above")
        subprocess.run(["sleep", "0.05"], check=True)
    raise AssertionError("the disposable host did not start in time")


@dataclass
class SshServer:
    """Hold a running SSH server in front of a disposable host."""

    port: int
    login: Login
    address: HostAddress
    other_key_file: Path
    acceptor: asyncssh.SSHAcceptor

    def stop(self) -> None:
        """Answer no more."""
        self.acceptor.close()


@contextlib.asynccontextmanager
async def ssh_server(host: DisposableHost) -> AsyncGenerator[SshServer, None]:
    """Serve SSH for a host on loopback, with a key that the returned login pins."""
    host_key = asyncssh.generate_private_key("ssh-ed25519")
    client_key = asyncssh.generate_private_key("ssh-ed25519")
    key_file, other_key_file = host.folder / "id", host.folder / "other"
    client_key.write_private_key(str(key_file))
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(other_key_file))
    authorized = asyncssh.import_authorized_keys(client_key.export_public_key().decode())
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[host_key],
        authorized_client_keys=authorized,
        server_factory=lambda: _Forwarding(host),
        process_factory=lambda process: _serve(host, process),
        encoding=None,
    )
    port = server.get_port()
    known_hosts = host.folder / "known_hosts"
    known_hosts.write_text(f"[127.0.0.1]:{port} {host_key.export_public_key().decode()}")
    login = Login(
        port=port, private_key_file=str(key_file), known_hosts_file=str(known_hosts), connect_timeout_seconds=5
    )
    try:
        yield SshServer(port, login, HostAddress(name="edge1", address="127.0.0.1"), other_key_file, server)
    finally:
        for child in host.children:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
        server.close()
        await server.wait_closed()


class _Forwarding(asyncssh.SSHServer):
    """Connect where a client asks, from this machine, unless the host forbids it in OpenSSH's words."""

    def __init__(self, host: DisposableHost) -> None:
        self._host = host

    def connection_requested(self, dest_host: str, dest_port: int, orig_host: str, orig_port: int) -> bool:
        if not self._host.forwards:
            raise asyncssh.ChannelOpenError(OPEN_ADMINISTRATIVELY_PROHIBITED, "open failed")
        return True


async def _serve(host: DisposableHost, process: "asyncssh.SSHServerProcess[bytes]") -> None:
    host.calls.append(process.command or "")
    entrance = host.entrance(process.get_extra_info("username"))
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(
        *entrance, "sh", "-c", process.command or "", stdin=pipe, stdout=pipe, stderr=pipe
    )
    host.children.append(child)
    assert child.stdin and child.stdout and child.stderr
    feeding = asyncio.create_task(_feed(process.stdin, child.stdin))
    await asyncio.gather(_drain(child.stdout, process.stdout), _drain(child.stderr, process.stderr))
    status = await child.wait()
    feeding.cancel()
    await asyncio.gather(feeding, return_exceptions=True)
    process.exit(status)


async def _feed(source: "asyncssh.SSHReader[bytes]", sink: asyncio.StreamWriter) -> None:
    """Hand on what comes over SSH; a command that reads no more ends it."""
    with contextlib.suppress(ConnectionError, asyncssh.Error):
        while block := await source.read(CHUNK_BYTES):
            sink.write(block)
            await sink.drain()
    sink.close()
    with contextlib.suppress(ConnectionError):
        await sink.wait_closed()


async def _drain(source: asyncio.StreamReader, sink: "asyncssh.SSHWriter[bytes]") -> None:
    while block := await source.read(CHUNK_BYTES):
        sink.write(block)
        await sink.drain()


def is_possible() -> bool:
    """Return whether this machine lets a test have such a host."""
    tools = ("unshare", "nsenter", "setpriv", "pgrep", "ip")
    if not all(shutil.which(tool) for tool in tools):
        return False
    return subprocess.run(["unshare", "--mount", "--net", "true"], capture_output=True, check=False).returncode == 0

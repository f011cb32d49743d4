"""A port of this machine that leads through a host's SSH server to a cluster's API.

The host is entered when somebody connects, not before: a provider is configured while hosts may still be bare.
"""

import asyncio
import contextlib
import errno
import socket
from typing import Protocol

import asyncssh

from edgehost.errors import EdgehostError, TunnelError
from edgehost.host import Host
from edgehost.route import Route

BLOCK_BYTES = 1 << 16
WAITING_CONNECTIONS = 64


class _Source(Protocol):
    async def read(self, n: int = -1, /) -> bytes: ...


class _Sink(Protocol):
    def write(self, data: bytes, /) -> None: ...
    def write_eof(self) -> None: ...
    async def drain(self) -> None: ...


class Tunnel:
    """Forward every connection to a port of this machine over the one connection of a host."""

    def __init__(self, route: Route, host: Host) -> None:
        self._route = route
        self._host = host
        self._server: asyncio.Server | None = None
        self._forwarding: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Listen.

        Raises:
            TunnelError: The local address cannot be used.
        """
        self._server = await asyncio.start_server(self._accept, sock=_listener(self._route))

    async def close(self) -> None:
        """Listen no more and break what is connected."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task in self._forwarding:
            task.cancel()
        await asyncio.gather(*self._forwarding, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._forward(reader, writer))
        self._forwarding.add(task)
        task.add_done_callback(self._forwarding.discard)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._join(reader, writer)
        except EdgehostError as error:
            # The client sees a closed connection and takes the cluster for unreachable; this says why.
            await self._host.log.warn_once(str(error))
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await self._host.dial(self._route.target_address, self._route.target_port)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_pump(reader, far_writer))
                both.create_task(_pump(far_reader, writer))
        except* (OSError, asyncssh.Error):
            # One end broke off, as either may; the other is closed with it.
            pass
        finally:
            far_writer.close()


async def _pump(source: _Source, sink: _Sink) -> None:
    while block := await source.read(BLOCK_BYTES):
        sink.write(block)
        await sink.drain()
    sink.write_eof()


def _listener(route: Route) -> socket.socket:
    """Return a socket that listens; other tunnels of this user may listen at the same address.

    The engine may run the provider twice in one update, a person may preview while an update runs, or hold a tunnel
    open for kubectl. The kernel hands each connection to one of those that listen, and lets nobody else join them.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((route.local_address, route.local_port))
        listener.listen(WAITING_CONNECTIONS)
    except OSError as error:
        listener.close()
        raise _not_opened(route, error) from error
    return listener


def _not_opened(route: Route, error: OSError) -> TunnelError:
    match error.errno:
        case errno.EADDRINUSE:
            found = "another program has this address, or another user's tunnel to the same API"
            remedy = f"Run `ss -ltnp 'src {route.entrance}'` as root to see who, and end it."
        case errno.EADDRNOTAVAIL:
            found = "this machine does not have this address"
            remedy = f"On macOS, give it to the machine with `sudo ifconfig lo0 alias {route.local_address}`."
        case _:
            found = error.strerror or str(error)
            remedy = "Let this user listen there."
    return TunnelError(
        f"tunnel to the API by {route.host}: {route.entrance}",
        found,
        "Without the tunnel nothing in the cluster can be read or changed.",
        remedy,
    )

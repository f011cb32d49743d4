"""Addresses: where the servers behind a target are, asked of the resolver again and again."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from proxy.backend.failures import NoAddress

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host's name to its IP addresses, as text; raises OSError."""

_NAME = re.compile(r"(?:dns:(?://[^/]*/)?|ipv[46]:)?(?:\[([^\]]+)\]|([^:/\[\]]+)):(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Server:
    """Name a host and its port."""

    host: str
    port_number: int

    @property
    def authority(self) -> str:
        """Return the name by which gRPC's requests address the server."""
        return f"[{self.host}]:{self.port_number}" if ":" in self.host else f"{self.host}:{self.port_number}"


def parse_target(target: str | Sequence[str]) -> tuple[Server, ...]:
    """Read a target: `host:port`, `dns:///host:port`, or several of them, as a list or with commas between.

    Raises:
        ValueError: A part of it is neither.
    """
    parts = target.split(",") if isinstance(target, str) else target
    return tuple(_server(part.strip()) for part in parts)


def _server(text: str) -> Server:
    match = _NAME.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 65536:
        raise ValueError(f"{text[:120]!r} is no target; write host:port or dns:///host:port, several with commas")
    return Server(match[1] or match[2], int(match[3]))


async def resolve_by_dns(host: str, port_number: int) -> Sequence[str]:
    """Ask the system's resolver, which in a pod is the cluster's DNS."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port_number, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class Address:
    """Hold where one replica listens, and the name that it was found by."""

    target: str
    """In gRPC's form, so that gRPC resolves nothing itself."""
    authority: str


class Addresses:
    """Know where the servers of a target are.

    The resolver is asked when its last answer is older than `resolve_seconds` and somebody calls; the last good answer
    serves on until a new one has come. A resolver that fails, or finds nothing, changes nothing.
    """

    def __init__(self, servers: Sequence[Server], resolve_seconds: float, resolve: Resolve) -> None:
        self._servers = servers
        self._resolve_seconds = resolve_seconds
        self._resolve = resolve
        self._asking: asyncio.Task[None] | None = None
        self._asked_at = float("-inf")
        self._trouble = ""
        self.known: tuple[Address, ...] = ()

    def renew_if_due(self) -> None:
        """Ask in the background when the last answer is too old."""
        if time.monotonic() - self._asked_at > self._resolve_seconds:
            self.renew()

    def renew(self) -> asyncio.Task[None]:
        """Ask in the background, unless that is under way."""
        if self._asking is None or self._asking.done():
            self._asked_at = time.monotonic()
            self._asking = asyncio.create_task(self._ask())
        return self._asking

    async def first(self) -> tuple[Address, ...]:
        """Wait for the first answer.

        Raises:
            NoAddress: There is none.
        """
        if not self.known:
            await asyncio.shield(self.renew())
        if not self.known:
            raise NoAddress(self._trouble)
        return self.known

    async def close(self) -> None:
        """Stop asking."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> None:
        found = await asyncio.gather(*(self._addresses_of(server) for server in self._servers))
        # The order of a resolver's answer changes from one to the next; ours stays, so that turns are fair.
        addresses = tuple(sorted({address for part in found for address in part}, key=lambda one: one.target))
        if addresses:
            self.known = addresses

    async def _addresses_of(self, server: Server) -> list[Address]:
        try:
            hosts = [server.host] if _is_literal(server.host) else await self._resolve(server.host, server.port_number)
        except OSError as error:
            self._trouble = f"the name {server.host!r} cannot be resolved ({error})"
            return [address for address in self.known if address.authority == server.authority]
        self._trouble = f"the name {server.host!r} has no address"
        return [Address(_grpc_target(host, server.port_number), server.authority) for host in hosts]


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _grpc_target(host: str, port_number: int) -> str:
    if isinstance(ip_address(host), IPv6Address):
        return f"ipv6:[{host}]:{port_number}"
    return f"ipv4:{host}:{port_number}"

"""Pictures by address: fetched from hosts that the operator allows, and from nowhere that they may lead on to.

A name is resolved once, every address it has is checked, and the connection goes to one of these very addresses, so
that the name cannot mean another one in between. Redirects are followed by hand, each as strictly as the first step.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from proxy.config import MEBIBYTE
from proxy.deadline import Deadline
from proxy.errors import BodyTooLarge, InvalidAddress
from proxy.inputs.address_settings import AddressSettings
from proxy.inputs.public_address import is_reachable

if TYPE_CHECKING:
    import httpx

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""Returns the addresses of a host, the preferred one first; raises OSError where it has none."""

_MOST_REDIRECTS = 3
_MOST_CHARACTERS = 2048
_MOST_ATTEMPTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PORTS = {"https": 443, "http": 80}


def read_address(data: bytes) -> str:
    """Return the one address of a `text/uri-list` (RFC 2483): a line each, comments begin with `#`.

    Raises:
        InvalidAddress: There is none, or more than one, or it is no text.
    """
    lines = [line.strip() for line in data[: 4 * _MOST_CHARACTERS].decode(errors="replace").splitlines()]
    addresses = [line for line in lines if line and not line.startswith("#")]
    if len(addresses) != 1 or len(data) > 4 * _MOST_CHARACTERS:
        raise _refused(f"{len(addresses)} addresses", "One request names one picture", "Send one line with one address")
    return addresses[0]


async def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of a host as the system's resolver gives them.

    Raises:
        OSError: It has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class PictureFetcher:
    """Fetch pictures over HTTP; make one for the process, and close it at the end."""

    def __init__(self, settings: AddressSettings, resolve: Resolve = resolve_host) -> None:
        import httpx  # Only here: its import takes a good part of the time in which the proxy starts.

        self._httpx = httpx
        self._settings = settings
        self._resolve = resolve
        # No proxies and no passwords out of the environment, and no connection that was checked for another name.
        self._client = httpx.AsyncClient(
            verify=True if settings.certificates is None else _trusting(str(settings.certificates)),
            trust_env=False,
            follow_redirects=False,
            timeout=None,
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def fetch(self, address: str, deadline: Deadline) -> bytes:
        """Return the bytes that lie under an address.

        Raises:
            InvalidAddress: It is not allowed, leads to where it must not, or answers with anything but a file.
            BodyTooLarge: The file is larger than `max-mib`.
            DeadlineExceeded: It did not come in time.
        """
        try:
            async with asyncio.timeout(deadline.remaining):
                return await self._follow(self._parsed(address))
        except TimeoutError as error:
            raise deadline.exceeded("picture being fetched from its address") from error

    async def close(self) -> None:
        """Close what is open."""
        await self._client.aclose()

    async def _follow(self, url: httpx.URL) -> bytes:
        for _ in range(_MOST_REDIRECTS + 1):
            found = await self._get(url)
            if isinstance(found, bytes):
                return found
            # The client has parsed it already, and refused what is none.
            target = self._checked(url.join(found))
            if url.scheme == "https" and target.scheme != "https":
                raise _refused("a redirect from https to http", "It would give the protection up", _SEND)
            url = target
        raise _refused(f"more than {_MOST_REDIRECTS} redirects", "It may be a circle", "Send the address at their end")

    def _parsed(self, address: str) -> httpx.URL:
        if len(address) > _MOST_CHARACTERS:
            raise _refused(f"{len(address)} characters", f"The limit is {_MOST_CHARACTERS}", "Send a shorter address")
        try:
            return self._checked(self._httpx.URL(address))
        except self._httpx.InvalidURL as error:
            raise _refused(f"{address[:120]!r}", f"It cannot be read ({error})", _SEND) from error

    def _checked(self, url: httpx.URL) -> httpx.URL:
        """Return an address whose scheme, host and port are allowed."""
        settings, host = self._settings, _host(url)
        if url.scheme not in settings.allowed_schemes:
            schemes = " and ".join(settings.allowed_schemes)
            raise _refused(f"the scheme {url.scheme[:20]!r}", f"Pictures are fetched by {schemes} alone", _SEND)
        if url.userinfo:
            raise _refused("a user name or password in it", "It would end up in logs", "Send an address without one")
        if not settings.allows_host(host):
            raise _refused(f"the host {host[:120]!r}", "It is not among the allowed ones (allowed-hosts)", _SEND)
        if (port := _port(url)) not in settings.allowed_ports:
            raise _refused(f"port {port}", "It is not among the allowed ones (allowed-ports)", _SEND)
        return url

    async def _get(self, url: httpx.URL) -> bytes | str:
        """Return the file under an address, or where it redirects to; each of the host's addresses is tried."""
        failure: Exception | None = None
        for address in (await self._addresses(url))[:_MOST_ATTEMPTS]:
            try:
                return await self._get_from(address, url)
            except self._httpx.ConnectError as error:
                failure = error
            except self._httpx.HTTPError as error:
                raise _unanswered(url, type(error).__name__) from error
        raise _unanswered(url, "no connection") from failure

    async def _addresses(self, url: httpx.URL) -> list[str]:
        try:
            addresses = await self._resolve(_host(url), _port(url))
        except (OSError, UnicodeError) as error:
            raise _unanswered(url, "its name is not known") from error
        if not addresses or not all(is_reachable(address, self._settings.allowed_networks) for address in addresses):
            raise _refused(
                f"the host {_host(url)[:120]!r}",
                "It leads to an address that is not public (allowed-networks names exceptions)",
                _SEND,
            )
        return addresses

    async def _get_from(self, address: str, url: httpx.URL) -> bytes | str:
        headers = {
            "Host": url.netloc.decode("ascii"),
            "Accept": "image/*",
            "Accept-Encoding": "identity",
            "User-Agent": "kubevc-proxy",
        }
        request = self._client.build_request(
            "GET", url.copy_with(host=address), headers=headers, extensions={"sni_hostname": _host(url)}
        )
        response = await self._client.send(request, stream=True)
        try:
            if response.status_code in _REDIRECTS and "location" in response.headers:
                return response.headers["location"]
            return await self._read(response, url)
        finally:
            await response.aclose()

    async def _read(self, response: httpx.Response, url: httpx.URL) -> bytes:
        if response.status_code != 200:
            raise _unanswered(url, f"status {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise _unanswered(url, "a compressed answer, which was not asked for")
        limit = int(self._settings.max_mib * MEBIBYTE)
        pieces: list[bytes] = []
        size = int(response.headers.get("content-length", "0")) if _is_number(response) else 0
        if size <= limit:
            size = 0
            async for piece in response.aiter_raw():
                size += len(piece)
                if size > limit:
                    break
                pieces.append(piece)
        if size > limit:
            raise BodyTooLarge(
                where="picture under the address",
                found=f"more than {limit} bytes",
                reason=f"The limit is {self._settings.max_mib:g} MiB (max-mib)",
                remedy="Send the address of a smaller copy",
            )
        return b"".join(pieces)


_SEND = "Send the picture itself, or ask the operator to allow its address"


def _trusting(certificates: str) -> Any:
    import ssl

    return ssl.create_default_context(cafile=certificates)


def _is_number(response: httpx.Response) -> bool:
    return response.headers.get("content-length", "").isdecimal()


def _host(url: httpx.URL) -> str:
    """Return the host in small ASCII letters, without a dot at its end."""
    return url.raw_host.decode("ascii").lower().rstrip(".")


def _port(url: httpx.URL) -> int:
    return url.port or _PORTS.get(url.scheme, 0)


def _refused(found: str, reason: str, remedy: str) -> InvalidAddress:
    return InvalidAddress(where="address of a picture", found=found, reason=reason, remedy=remedy)


def _unanswered(url: httpx.URL, found: str) -> InvalidAddress:
    return InvalidAddress(
        where=f"address of a picture at {_host(url)[:120]}",
        found=found,
        reason="The proxy got no picture from there",
        remedy="Check that the address opens in a browser, and try again",
    )

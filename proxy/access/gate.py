"""The gate: who a request comes from, before anything else of it is looked at."""

from __future__ import annotations

import dataclasses
from ipaddress import IPv6Address, ip_address

from starlette.requests import HTTPConnection

from proxy.access.client import ANONYMOUS, Client
from proxy.access.credentials import Credential, read_credential
from proxy.access.key_file import KeyFile
from proxy.access.keys import read_key
from proxy.access.origin import check_origin
from proxy.access.rate_limit import Buckets
from proxy.access.settings import Access, Tls
from proxy.access.tls import CERTIFICATE_NAME
from proxy.errors import Unauthenticated
from proxy.telemetry.logs import log_event


class Gate:
    """Tell clients by their key, token or certificate, and hold each to its limit.

    As soon as one of the three is configured, a request without any is refused; a key or a token comes before a
    certificate.

    Raises:
        ConfigError: The file of keys, or the issuer's, cannot be used.
    """

    def __init__(self, settings: Access, tls: Tls | None = None) -> None:
        self._settings = settings
        self._keys = KeyFile(settings.keys_file) if settings.keys_file is not None else None
        self._tokens = None
        if settings.oidc is not None:
            # PyJWT and what it needs are loaded only where tokens are used.
            from proxy.access.tokens import TokenCheck

            self._tokens = TokenCheck(settings.oidc)
        certificates = tls.client_certificates if tls is not None and tls.client_ca_file is not None else None
        self._needs_certificate = certificates == "required"
        self._open = self._keys is None and self._tokens is None and certificates is None
        self._buckets = Buckets()
        if tls is None and not self._open:
            log_event("keys-in-clear", problem="keys and tokens can be read on the network; configure tls")

    @property
    def is_open(self) -> bool:
        """Say whether everybody may ask."""
        return self._open

    @property
    def metrics_are_open(self) -> bool:
        """Say whether GET /metrics needs no client."""
        return self._open or self._settings.open_metrics

    async def admit(self, connection: HTTPConnection) -> Client:
        """Return who a request comes from; its `headers` belong into the answer.

        Raises:
            Forbidden: A WebSocket of another origin's page.
            Unauthenticated: Nobody that the proxy knows.
            TooManyRequests: Over the client's limit.
            IssuerUnavailable: A token that cannot be checked now.
        """
        check_origin(connection, self._settings.cors)
        client = await self._identify(connection)
        limit = client.rate_limit or self._settings.rate_limit
        if limit is None:
            return client
        bucket = _network_of(connection) if client.kind == "anonymous" else f"{client.kind} {client.name}"
        return dataclasses.replace(client, headers=self._buckets.take(bucket, limit))

    async def _identify(self, connection: HTTPConnection) -> Client:
        if self._open:
            return ANONYMOUS
        certificate: str | None = connection.scope.get("state", {}).get(CERTIFICATE_NAME)
        if self._needs_certificate and certificate is None:
            raise _refusal("connection", "no client certificate", "Connect with a certificate of the site's authority")
        if credential := read_credential(connection.headers):
            return await self._client_of(credential)
        if certificate is not None:
            return Client(name=certificate, kind="certificate")
        raise _refusal("request", "no key", "Send 'Authorization: Bearer KEY' or 'X-API-Key: KEY'")

    async def _client_of(self, credential: Credential) -> Client:
        if self._keys is not None and (key := read_key(credential.text)) is not None:
            entry = self._keys.find(key)
            if entry is None:
                raise _refusal(credential.where, "a key that the proxy does not know", _NEW_KEY)
            if entry.expired:
                raise _refusal(credential.where, f"a key of {entry.name!r} whose time is over", _NEW_KEY)
            return Client(name=entry.name, kind="key", models=entry.models, rate_limit=entry.rate_limit)
        if self._tokens is not None:
            return await self._tokens.client(credential.text)
        raise _refusal(credential.where, "something that is no key of this proxy", _NEW_KEY)


_NEW_KEY = "Ask the operator of the endpoint for a key"


def _refusal(where: str, found: str, remedy: str) -> Unauthenticated:
    return Unauthenticated(where, found, "The endpoint answers only clients that it knows", remedy)


def _network_of(connection: HTTPConnection) -> str:
    """Return whose bucket an unnamed request is taken from: its address, or of IPv6 the network that one site has."""
    host = connection.client.host if connection.client is not None else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not isinstance(address, IPv6Address):
        return host
    return str(address.ipv4_mapped or address.packed[:8].hex())

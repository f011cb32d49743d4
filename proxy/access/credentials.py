"""Credentials: what a request's headers say of its sender. Never the URL's: URLs end in logs and histories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy.errors import Unauthenticated

KEY_HEADER = "x-api-key"
PROTOCOL_HEADER = "sec-websocket-protocol"
PROTOCOL_PREFIX = "kubevc.bearer."


@dataclass(frozen=True, slots=True)
class Credential:
    """Hold a key or a token as it was sent; it is in no repr."""

    text: str = field(repr=False)
    where: str


def read_credential(headers: Mapping[str, str]) -> Credential | None:
    """Return what a request shows, or None.

    A browser cannot send headers with a WebSocket; there the offered subprotocol `kubevc.bearer.KEY` does it.

    Raises:
        Unauthenticated: The header Authorization has another scheme or nothing in it.
    """
    if (authorization := headers.get("authorization")) is not None:
        scheme, _, text = authorization.partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise _other_scheme()
        return Credential(text.strip(), "header Authorization")
    if (key := headers.get(KEY_HEADER)) is not None:
        return Credential(key.strip(), "header X-API-Key")
    offered = (protocol.strip() for protocol in headers.get(PROTOCOL_HEADER, "").split(","))
    text = next((protocol for protocol in offered if protocol.startswith(PROTOCOL_PREFIX)), None)
    if text is None:
        return None
    return Credential(text.removeprefix(PROTOCOL_PREFIX), "header Sec-WebSocket-Protocol")


def _other_scheme() -> Unauthenticated:
    return Unauthenticated(
        where="header Authorization",
        found="no Bearer credential",
        reason="The proxy reads keys and tokens in no other scheme",
        remedy="Send 'Authorization: Bearer KEY' or 'X-API-Key: KEY'",
    )

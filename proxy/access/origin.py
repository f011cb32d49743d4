"""The origin of WebSockets: which pages may open one.

A browser asks in advance before a page of another origin may send a request (`cors.py`), but not before it opens a
WebSocket, and shows its client certificate there by itself. So the server has to look.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from proxy.access.settings import Cors
from proxy.errors import Forbidden


def check_origin(connection: HTTPConnection, settings: Cors) -> None:
    """Let a page of this endpoint, of an allowed origin, or a program that is no browser open a WebSocket.

    Raises:
        Forbidden: It is a page of another origin.
    """
    origin = connection.headers.get("origin")
    if connection.scope["type"] != "websocket" or origin is None:
        return
    if origin in settings.allowed_origins or "*" in settings.allowed_origins:
        return
    if urlsplit(origin).netloc.lower() == connection.headers.get("host", "").lower():
        return
    raise Forbidden(
        where="header Origin",
        found=f"{origin[:120]!r}",
        reason="A page of another origin could use what its visitor's browser may reach",
        remedy="Add the origin to the allowed ones (access > cors > allowed-origins)",
    )

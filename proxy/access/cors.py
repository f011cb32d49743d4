"""Other origins: what a browser needs to know before a page of another origin may ask."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from proxy.access.settings import Cors

ALLOWED_HEADERS = (
    "Accept",
    "Authorization",
    "Content-Type",
    "Inference-Header-Content-Length",
    "Traceparent",
    "X-API-Key",
    "X-Request-Id",
    "X-Request-Timeout",
)
EXPOSED_HEADERS = (
    "Inference-Header-Content-Length",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Server-Timing",
    "X-Request-Id",
)


def with_cors(app: ASGIApp, settings: Cors) -> ASGIApp:
    """Return the application that answers pages of the allowed origins; without any, it as it is.

    Cookies are never allowed: a key goes with a request because the page put it there, so no other page can use it.
    """
    if not settings.allowed_origins:
        return app
    return CORSMiddleware(
        app,
        allow_origins=settings.allowed_origins,
        allow_methods=("GET", "POST"),
        allow_headers=ALLOWED_HEADERS,
        expose_headers=EXPOSED_HEADERS,
        max_age=settings.max_age_seconds,
    )

"""The demo page: three files beside this one, read once and served with headers that let nothing else in."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parent

# The page's own files and nothing else: no inline script, no other host, no frame around it. A canvas and a camera
# need blob:, and the empty icon is a data: URL.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
    "media-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {
    "/": ("demo.html", "text/html; charset=utf-8"),
    "/demo.css": ("demo.css", "text/css; charset=utf-8"),
    "/demo.js": ("demo.js", "text/javascript; charset=utf-8"),
}


@dataclass(frozen=True, slots=True)
class Page:
    """Hold a file of the page and the headers that it is served with."""

    body: bytes
    headers: Mapping[str, str]


def read_pages() -> dict[str, Page]:
    """Read the page's files.

    Returns:
        Each under the path of its URL.
    """
    return {path: _page(name, media_type) for path, (name, media_type) in _FILES.items()}


def page_route(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Return the function that a route calls to serve a page; a browser that has it already gets 304."""

    async def serve(request: Request) -> Response:
        if request.headers.get("if-none-match") == page.headers["etag"]:
            return Response(status_code=304, headers={"etag": page.headers["etag"]})
        return Response(page.body, headers=page.headers)

    return serve


def _page(name: str, media_type: str) -> Page:
    body = (_FOLDER / name).read_bytes()
    headers = {
        "content-type": media_type,
        # A browser asks again each time and gets 304 while the proxy is the same one.
        "cache-control": "no-cache",
        "etag": f'"{hashlib.sha256(body).hexdigest()[:16]}"',
        "content-security-policy": _POLICY,
        "permissions-policy": "camera=(self), microphone=(), geolocation=()",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    return Page(body, headers)

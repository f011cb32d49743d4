"""Refusals of connections: what is told to those whose bytes never become a request."""

from __future__ import annotations

import http

from proxy.errors import Busy, HeadTooLarge, HeadTooSlow, InvalidHttp, ProxyError
from proxy.outputs.error_form import error_answer


def refusal_bytes(error: ProxyError, request_id: str) -> bytes:
    """Return a whole HTTP answer in the form of all errors, after which the connection ends."""
    body = error_answer(error, request_id)
    retry = f"retry-after: {error.retry_after_seconds}\r\n" if error.retry_after_seconds is not None else ""
    head = (
        f"HTTP/1.1 {error.status} {http.HTTPStatus(error.status).phrase}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\nx-request-id: {request_id}\r\n"
        f"{retry}connection: close\r\n\r\n"
    )
    return head.encode() + body


def slow_head(seconds: float) -> HeadTooSlow:
    """Refuse a head that did not come in time."""
    return HeadTooSlow(
        where="request head",
        found=f"not there after {seconds:g} s",
        reason="A connection is kept for those who use it (connections > head-seconds)",
        remedy="Send the request line and the headers at once",
    )


def long_head(kib: int) -> HeadTooLarge:
    """Refuse a head with too many bytes."""
    return HeadTooLarge(
        where="request head",
        found=f"more than {kib} KiB",
        reason="The proxy reads no longer ones (connections > max-head-kib)",
        remedy="Send fewer or shorter headers; data belongs into the body",
    )


def many_headers(limit: int) -> HeadTooLarge:
    """Refuse a head with too many headers."""
    return HeadTooLarge(
        where="request head",
        found=f"more than {limit} headers",
        reason="The proxy reads no more (connections > max-headers)",
        remedy="Send fewer headers; data belongs into the body",
    )


def no_http() -> InvalidHttp:
    """Refuse bytes that the parser cannot read."""
    return InvalidHttp(
        where="connection",
        found="bytes that are no HTTP request",
        reason="The proxy speaks HTTP/1.1",
        remedy="Look at what the client sends, and whether it speaks TLS to a port without it",
    )


def too_many(count: int) -> Busy:
    """Refuse one connection more than there may be."""
    return Busy(
        where="endpoint proxy",
        found=f"{count} connections, all of them with a request",
        reason="Each of them takes memory (connections > max-connections)",
        remedy="Try again in a second, and use one connection for many requests",
    )

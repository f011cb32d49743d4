"""The form of every error that the proxy answers, whatever was asked."""

from __future__ import annotations

from typing import Any

import orjson

from proxy.errors import ProxyError


def error_document(error: ProxyError, request_id: str) -> dict[str, Any]:
    """Return the document of an error; its text stands where clients of TensorFlow Serving's REST API look for it."""
    return {"error": error.message, "status": error.status, "code": error.code, "request_id": request_id}


def error_answer(error: ProxyError, request_id: str) -> bytes:
    """Write an error."""
    return orjson.dumps(error_document(error, request_id))


def error_headers(error: ProxyError) -> dict[str, str]:
    """Return the header fields of an error, such as when to try again."""
    retry = error.retry_after_seconds
    return {**error.headers, **({} if retry is None else {"retry-after": str(retry)})}

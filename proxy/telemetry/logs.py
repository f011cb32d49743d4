"""Logs: one JSON object per line on standard output, never with anything of a payload in it."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import orjson

from proxy.errors import ProxyError
from proxy.telemetry.exchange import Exchange

_LOGGER = logging.getLogger("proxy")


class JsonFormatter(logging.Formatter):
    """Write a log record as one line of JSON; `extra={"fields": {...}}` adds keys."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def configure_logging() -> None:
    """Send every log of the process, uvicorn's too, through one JSON handler."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def log_event(event: str, **fields: Any) -> None:
    """Log something that is no request."""
    _LOGGER.info(event, extra={"fields": fields})


def log_exchange(exchange: Exchange, found: str | None) -> None:
    """Log a request that has ended; `found` is what was wrong with it."""
    level = logging.INFO if exchange.status < 500 else logging.WARNING
    fields: dict[str, Any] = {
        "request_id": exchange.request_id,
        "model": exchange.model,
        "status": exchange.status,
        "code": exchange.code,
        "milliseconds": round(exchange.seconds * 1000, 2),
        "stages": {stage: round(seconds * 1000, 2) for stage, seconds in exchange.stages.seconds.items()},
        "bytes": exchange.bytes_by_leg,
    }
    if exchange.client is not None:
        fields["client"] = exchange.client
    if found is not None:
        fields["found"] = found
    if exchange.trace.trace_id is not None:
        fields["trace_id"] = exchange.trace.trace_id
    _LOGGER.log(level, "request", extra={"fields": fields})


def log_refusal(error: ProxyError, request_id: str) -> None:
    """Log a connection that was refused before it had made a request."""
    fields = {"request_id": request_id, "status": error.status, "code": error.code}
    _LOGGER.info("refused", extra={"fields": {**fields, "found": f"{error.where}: {error.found}"}})


def log_bug(exchange: Exchange) -> None:
    """Log the traceback of the exception being handled, a bug of the proxy, under its request's id."""
    _LOGGER.exception("bug", extra={"fields": {"request_id": exchange.request_id, "model": exchange.model}})

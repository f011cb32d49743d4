"""Scraping: the metrics, for Prometheus."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from proxy.access.gate import Gate
from proxy.errors import ProxyError
from proxy.outputs.answer import JSON
from proxy.outputs.error_form import error_answer, error_headers
from proxy.telemetry.exchange import HEADER as ID_HEADER
from proxy.telemetry.exchange import chosen_request_id
from proxy.telemetry.metrics import CONTENT_TYPE, Metrics


class Scraping:
    """Answer `GET /metrics`; what is asked every few seconds is neither logged nor counted."""

    def __init__(self, gate: Gate, metrics: Metrics) -> None:
        self._gate = gate
        self._metrics = metrics

    async def metrics(self, request: Request) -> Response:
        """Write all metrics, for everybody or for clients that the proxy knows."""
        try:
            if not self._gate.metrics_are_open:
                await self._gate.admit(request)
        except ProxyError as error:
            body = error_answer(error, chosen_request_id(request.headers.get(ID_HEADER)))
            return Response(body, error.status, error_headers(error), JSON)
        return Response(self._metrics.exposition(), headers={"content-type": CONTENT_TYPE})

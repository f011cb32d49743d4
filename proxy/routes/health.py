"""Health: whether the process lives, and whether it takes requests."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from proxy.outputs.answer import JSON
from proxy.outputs.answers import write_json


class HealthRoutes:
    """Answer those who watch over the proxy.

    Attributes:
        draining: True from the signal to stop on; readiness says so.
    """

    def __init__(self) -> None:
        self.draining = False

    async def live(self, request: Request) -> Response:
        """Answer `GET /healthz`: the process turns its event loop."""
        del request
        return Response(write_json({"status": "live"}), media_type=JSON)

    async def ready(self, request: Request) -> Response:
        """Answer `GET /readyz`: the proxy itself can answer, whatever the model servers do.

        One model that is down must not take the others' only way in out of service; its requests get a 503.
        """
        del request
        state = "draining" if self.draining else "ready"
        return Response(write_json({"status": state}), 503 if self.draining else 200, media_type=JSON)

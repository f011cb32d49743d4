"""The description of the endpoint, for programs that read OpenAPI."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from starlette.requests import Request
from starlette.responses import Response

from proxy.card import ModelCard
from proxy.outputs.answer import JSON
from proxy.pages.openapi import describe_models, openapi_document


class Description:
    """Answer `GET /openapi.json`."""

    def __init__(self, cards: Mapping[str, ModelCard], is_open: bool) -> None:
        self._models = describe_models(cards)
        self._secured = not is_open
        self._document: bytes | None = None

    async def openapi(self, request: Request) -> Response:
        """Describe all routes of the application, with the models that it was started with."""
        if self._document is None:
            self._document = orjson.dumps(openapi_document(request.app.routes, self._models, self._secured))
        return Response(self._document, media_type=JSON)

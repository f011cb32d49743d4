"""The models: which there are, the state of their versions, and what they take and give."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from proxy.card import ModelCard
from proxy.models import Models
from proxy.outputs.answer import Answer
from proxy.outputs.answers import write_json
from proxy.pages.openapi import input_kinds
from proxy.routes.addressed import client_of, find_model, selector_of
from proxy.telemetry.exchange import Exchange


class ModelRoutes:
    """Answer the questions about models, as TensorFlow Serving's REST API does."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def list(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `GET /v1/models`: those that the client may ask."""
        del exchange
        allowed = client_of(request).models
        models = [
            _described(pipeline.model, pipeline.card)
            for pipeline in self._models
            if allowed is None or pipeline.model in allowed
        ]
        return Answer(write_json({"models": models}))

    async def status(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `GET /v1/models/{model}`."""
        pipeline = find_model(self._models, request, exchange)
        status = await pipeline.backend.service.status(exchange.call_context(), selector_of(request))
        return Answer(write_json(status))

    async def metadata(self, request: Request, exchange: Exchange) -> Answer:
        """Answer `GET /v1/models/{model}/metadata`."""
        pipeline = find_model(self._models, request, exchange)
        return Answer(
            write_json(await pipeline.backend.service.metadata(exchange.call_context(), selector_of(request)))
        )


def _described(name: str, card: ModelCard) -> dict[str, Any]:
    """Return a model as the demo page and other programs need it to know what to send."""
    return {"name": name, "task": card.document.task, "inputs": input_kinds(card)}

"""The model that a request is addressed to, and which version of it."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from proxy.access.client import Client
from proxy.backend.call import Selector
from proxy.models import Models
from proxy.pipeline import Pipeline
from proxy.telemetry.exchange import Exchange


def admit_as(connection: HTTPConnection, client: Client) -> None:
    """Note who sends a request."""
    connection.state.client = client


def client_of(connection: HTTPConnection) -> Client:
    """Return who sends a request that was admitted."""
    return connection.state.client


def find_model(models: Models, connection: HTTPConnection, exchange: Exchange) -> Pipeline:
    """Return the model that the path names, and note it.

    Raises:
        Forbidden: Its sender may ask other models only.
        UnknownModel: The proxy is not configured with it.
    """
    name: str = connection.path_params["model"]
    client_of(connection).check_model(name)
    pipeline = models.find(name)
    exchange.model = pipeline.model
    return pipeline


def selector_of(connection: HTTPConnection) -> Selector:
    """Return which version the path names."""
    return Selector(version=connection.path_params.get("version"), label=connection.path_params.get("label"))

"""The OpenAPI document: every route of the application, with a path for each configured model.

The form is that of https://spec.openapis.org/oas/v3.1.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from starlette.routing import BaseRoute, Route, WebSocketRoute

from proxy import __version__
from proxy.card import ModelCard
from proxy.pages.operations import Subject, operation, option_parameters
from proxy.pages.schemas import PARAMETERS, RESPONSES, SCHEMAS, SECURITY, Json, reference

_CONVERTOR = re.compile(r":\w+(?=\})")
_VERSION = re.compile(r"/(versions/\{version\}|labels/\{label\})")
_SELECTORS = {"versions/{version}": "Version", "labels/{label}": "Label"}


def describe_models(cards: Mapping[str, ModelCard]) -> list[Subject]:
    """Return the models as the document needs them."""
    return [Subject(name=name, card=card, inputs=input_kinds(card)) for name, card in cards.items()]


def input_kinds(card: ModelCard) -> tuple[str, ...]:
    """Return what a model takes, of `picture`, `text` and `tensors`; the likeliest to be sent first."""
    sections = {"picture": card.document.input, "text": card.document.text}
    return (*(kind for kind, section in sections.items() if section is not None), "tensors")


def openapi_document(routes: Iterable[BaseRoute], subjects: Iterable[Subject], secured: bool) -> Json:
    """Describe an application.

    Args:
        routes: Those of the application; one that `operations.py` does not know is left out.
        subjects: The configured models.
        secured: Whether requests need a key or a token.
    """
    models = list(subjects)
    paths: dict[str, Json] = {}
    for path, method in _methods(routes):
        for shown, described in _described(path, method, models):
            # A WebSocket begins as a GET request.
            verb = "get" if method == "WEBSOCKET" else method.lower()
            # Names of models may hold any sign that could stand for the slashes, so these stay.
            paths.setdefault(shown, {})[verb] = {"operationId": f"{verb}{shown}", **described}
    return {
        "openapi": "3.1.0",
        "info": {"title": "KubEVC endpoint", "version": __version__, "summary": "Inference for every model of a site."},
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "responses": RESPONSES,
            "parameters": {**PARAMETERS, **option_parameters()},
            "securitySchemes": SECURITY,
        },
        "security": [{"key": []}, {"bearer": []}] if secured else [],
    }


def _methods(routes: Iterable[BaseRoute]) -> Iterator[tuple[str, str]]:
    """Yield each path of the application, without types in it, with each of its methods."""
    for route in routes:
        if isinstance(route, WebSocketRoute):
            yield _CONVERTOR.sub("", route.path), "WEBSOCKET"
        elif isinstance(route, Route):
            for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"}):
                yield _CONVERTOR.sub("", route.path), method


def _described(path: str, method: str, models: Iterable[Subject]) -> Iterator[tuple[str, Json]]:
    """Yield a route's paths as the document shows them, with what it says of each."""
    whole = operation(path, method, None)
    if whole is not None:
        yield path, whole
    selector = _VERSION.search(path)
    latest = _VERSION.sub("", path)
    for model in models if "{model}" in path else ():
        found = operation(latest, method, model)
        if found is not None:
            yield path.replace("{model}", model.name), _with_selector(found, selector)


def _with_selector(described: Json, selector: re.Match[str] | None) -> Json:
    if selector is None:
        return described
    parameter = reference("parameters", _SELECTORS[selector[1]])
    return {**described, "parameters": [parameter, *described.get("parameters", [])]}

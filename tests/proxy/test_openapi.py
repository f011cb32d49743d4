"""The OpenAPI document: sound in itself, and of the very routes that the application has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from starlette.routing import Match, Route, WebSocketRoute

from proxy.config import ProxyConfig, load_config
from proxy.pages.openapi import describe_models, openapi_document
from proxy.server import Application, load_cards
from proxy.tasks.options import Options
from tests.proxy.conftest import CARDS, proxy_config, write_cards

_VERBS = {"get", "post"}
_PARAMETER_PLACES = {"query", "header", "path"}
_TYPES = {"string", "number", "integer", "boolean", "array", "object", "null"}


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> ProxyConfig:
    folder = tmp_path_factory.mktemp("openapi")
    write_cards(folder)
    (folder / "proxy.yaml").write_text(yaml.safe_dump(proxy_config("127.0.0.1:1", [*CARDS, "plain"])))
    return load_config(folder / "proxy.yaml")


@pytest.fixture(scope="module")
def application(config: ProxyConfig) -> Application:
    return Application(config, load_cards(config))


@pytest.fixture(scope="module")
def document(application: Application, config: ProxyConfig) -> dict[str, Any]:
    return openapi_document(application.app.routes, describe_models(load_cards(config)), secured=True)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield path, verb, operation


def _parts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a document."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _parts(inner)


def _resolved(document: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in part:
        return part
    found: Any = document
    for key in part["$ref"].removeprefix("#/").split("/"):
        found = found[key]
    return found


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = [part for part in _parts(document) if "$ref" in part]
    assert references
    for part in references:
        assert part.keys() == {"$ref"}
        assert _resolved(document, part)


def test_operations_have_what_the_specification_asks_for(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= document["info"].keys()
    seen = set()
    for path, verb, operation in _operations(document):
        assert path.startswith("/")
        assert verb in _VERBS
        assert operation["operationId"] not in seen
        seen.add(operation["operationId"])
        assert operation["responses"]
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[1-5](\d\d|XX)", status)
            assert _resolved(document, response)["description"]
        for media in operation.get("requestBody", {"content": {}})["content"].values():
            assert "schema" in media


def test_parameters_are_declared_once_and_paths_have_all_of_theirs(document: dict[str, Any]) -> None:
    for path, _, operation in _operations(document):
        parameters = [_resolved(document, part) for part in operation.get("parameters", [])]
        places = [(part["in"], part["name"]) for part in parameters]
        assert len(set(places)) == len(places)
        assert {place for place, _ in places} <= _PARAMETER_PLACES
        assert all("schema" in part for part in parameters)
        assert {name for place, name in places if place == "path"} == set(re.findall(r"\{(\w+)\}", path))
        assert all(part["required"] for part in parameters if part["in"] == "path")


def test_schemas_name_types_that_there_are_and_require_keys_that_they_have(document: dict[str, Any]) -> None:
    for part in _parts(document["components"]["schemas"]):
        if isinstance(part.get("properties"), dict):
            assert set(part.get("required", [])) <= part["properties"].keys()
        kinds = part.get("type", [])
        if isinstance(kinds, (str, list)) and not isinstance(part.get("items"), str):
            assert set([kinds] if isinstance(kinds, str) else kinds) <= _TYPES


def test_every_route_is_described_for_every_model(application: Application, document: dict[str, Any]) -> None:
    assert application.app.routes
    for route in application.app.routes:
        path = re.sub(r":\w+\}", "}", route.path)
        verbs = {"get"} if isinstance(route, WebSocketRoute) else {each.lower() for each in route.methods} - {"head"}
        for model in [*CARDS, "plain"] if "{model}" in path else ["-"]:
            described = document["paths"].get(path.replace("{model}", model), {})
            assert verbs <= described.keys(), f"{path} is not in proxy/pages/operations.py"


def test_every_path_of_the_document_has_a_route(application: Application, document: dict[str, Any]) -> None:
    for path, verb, _ in _operations(document):
        asked = path.replace("{version}", "3").replace("{label}", "stable")
        scopes = [
            {"type": "http", "method": verb.upper(), "path": asked, "headers": []},
            {"type": "websocket", "path": asked, "headers": []},
        ]
        matches = [route.matches(scope)[0] for route in application.app.routes for scope in scopes]
        assert Match.FULL in matches, path


def test_a_model_is_described_from_its_card(document: dict[str, Any]) -> None:
    detector = document["paths"]["/v1/models/detector:predict"]["post"]
    assert "64 x 64 pixels (letterbox)" in detector["description"]
    assert "3 classes, such as red, green, blue" in detector["description"]
    assert {"image/jpeg", "image/png", "application/json"} <= detector["requestBody"]["content"].keys()
    plain = document["paths"]["/v1/models/plain:predict"]["post"]
    assert "image/jpeg" not in plain["requestBody"]["content"]
    assert "image/png" not in plain["responses"]["200"]["content"]


def test_the_options_of_a_request_are_all_there(document: dict[str, Any]) -> None:
    references = document["paths"]["/v1/models/detector:predict"]["post"]["parameters"]
    parameters = [_resolved(document, part) for part in references]
    options = {part["name"]: part for part in parameters if part["in"] == "query"}
    assert options.keys() == Options.model_fields.keys()
    assert all(part["description"] for part in options.values())
    assert options["score_threshold"]["schema"] == {"type": "number", "minimum": 0, "maximum": 1}


def test_an_unknown_route_is_left_out() -> None:
    assert openapi_document([Route("/unknown", lambda request: None)], [], False)["paths"] == {}

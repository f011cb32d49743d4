"""The proxy's configuration file, from what the site says of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from components.access import access_config
from components.endpoint_settings import Endpoint
from components.handles import ServedModel

HTTP_PORT = 8080
CONFIG_FOLDER = "/etc/proxy"


def config_data(settings: Endpoint, models: Sequence[ServedModel]) -> dict[str, str]:
    """Return the configuration, the models' cards and the files that these name, one key each."""
    config = {
        "listen": {"address": "0.0.0.0", "port-number": HTTP_PORT},
        "limits": _limits(settings),
        "deadline-seconds": settings.deadline_seconds,
        "drain-seconds": settings.drain_seconds,
        "linger-seconds": settings.linger_seconds,
        "backend": {"batching": {"enabled": settings.batching}},
        **_optional(settings),
        **access_config(settings),
        "models": [
            {"name": model.name, "target": model.target, "card": f"{CONFIG_FOLDER}/models/{model.name}/model.yaml"}
            for model in models
        ],
    }
    files = {key: text for _, key, text in _model_files(models)}
    return {"proxy.yaml": yaml.safe_dump(config, sort_keys=False), **files}


def config_items(models: Sequence[ServedModel]) -> list[dict[str, str]]:
    """Return where each key of the configuration appears as a file; a card finds its files beside it."""
    items = [{"key": key, "path": path} for path, key, _ in _model_files(models)]
    return [{"key": "proxy.yaml", "path": "proxy.yaml"}, *items]


def outward_rules(settings: Endpoint) -> list[dict[str, Any]]:
    """Return the rules of a NetworkPolicy by which proxies reach what the settings name outside of the cluster.

    Policies know addresses and no names, so the ports are open towards every address; to which hosts the proxy then
    connects, it decides itself.
    """
    ports: list[int] = []
    if settings.addresses.allowed_hosts:
        ports += [443, 80]
    if settings.tracing is not None:
        ports.append(int(settings.tracing.endpoint.rpartition(":")[2]))
    return [{"ports": [{"protocol": "TCP", "port": port} for port in ports]}] if ports else []


def _limits(settings: Endpoint) -> dict[str, int]:
    return {
        "max-body-mib": settings.max_body_mib,
        "max-pixels": settings.max_pixels,
        "max-in-flight": settings.max_in_flight,
        "max-waiting": settings.max_waiting,
        "max-video-mib": settings.max_video_mib,
        "max-streams": settings.max_streams,
    }


def _optional(settings: Endpoint) -> dict[str, Any]:
    """Return the sections that are there only where the site says something."""
    sections: dict[str, Any] = {}
    if settings.addresses.allowed_hosts:
        sections["addresses"] = settings.addresses.model_dump(by_alias=True, mode="json")
    if settings.tracing is not None:
        sections["tracing"] = settings.tracing.model_dump(by_alias=True, mode="json")
    return sections


def _model_files(models: Sequence[ServedModel]) -> Iterator[tuple[str, str, str]]:
    """Yield path, key and text of each file of each model; a key may hold no slash."""
    for model in models:
        for name, text in {"model.yaml": model.card, **model.files}.items():
            yield f"models/{model.name}/{name}", f"{model.name}.{name.replace('/', '.')}", text

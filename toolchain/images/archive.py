"""Docker archives: what `docker save` writes and containerd, k3s, podman and skopeo read."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from toolchain import cache
from toolchain.images.layer import Layer

_VARIANTS = {"arm64": {"architecture": "arm64", "variant": "v8"}, "armhf": {"architecture": "arm", "variant": "v7"}}
# An image's date would make equal content unequal.
_CREATED = "1970-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a container of an image runs."""

    entrypoint: tuple[str, ...]
    user: str = "0:0"
    """Numeric, so that `runAsNonRoot` can be checked without the image's /etc/passwd."""
    environment: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[str, ...] = ()
    """Such as `8500/tcp`; for information only."""
    labels: Mapping[str, str] = field(default_factory=dict)


def write(
    path: Path, references: Sequence[str], layers: Sequence[Layer], settings: Settings, architecture: str
) -> None:
    """Write an image.

    Args:
        path: The archive to write; a reader sees the old one or the whole new one.
        references: Full image references with tag, as pods name them; a node that imports the archive knows the image
            by each of them.
        layers: From the bottom up.
        settings: How it runs.
        architecture: `amd64`, `arm64` or `armhf`.
    """
    configuration = _configuration(layers, settings, architecture)
    name = f"{hashlib.sha256(configuration).hexdigest()}.json"
    manifest = [{"Config": name, "RepoTags": list(references), "Layers": [_layer_name(layer) for layer in layers]}]
    with cache.replacing(path) as aside, tarfile.open(aside, "w", format=tarfile.GNU_FORMAT) as archive:
        _add(archive, "manifest.json", _json(manifest))
        _add(archive, name, configuration)
        for layer in layers:
            _add_layer(archive, layer)


def _configuration(layers: Sequence[Layer], settings: Settings, architecture: str) -> bytes:
    return _json(
        {
            **_VARIANTS.get(architecture, {"architecture": architecture}),
            "os": "linux",
            "created": _CREATED,
            "config": {
                "User": settings.user,
                "Entrypoint": list(settings.entrypoint),
                "Env": [f"{name}={value}" for name, value in sorted(settings.environment.items())],
                "WorkingDir": "/",
                "ExposedPorts": {port: {} for port in settings.ports},
                "Labels": dict(settings.labels),
            },
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{layer.sha256}" for layer in layers]},
            "history": [{"created": _CREATED, "created_by": f"kubevc: {layer.title}"} for layer in layers],
        }
    )


def _layer_name(layer: Layer) -> str:
    return f"{layer.sha256}/layer.tar"


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))


def _add_layer(archive: tarfile.TarFile, layer: Layer) -> None:
    entry = tarfile.TarInfo(_layer_name(layer))
    entry.size = layer.path.stat().st_size
    with layer.path.open("rb") as file:
        archive.addfile(entry, file)

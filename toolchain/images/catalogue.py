"""The images of a site without a registry. A new one is an entry here and a module that makes its layers."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from toolchain.images import coredns, pause, program, python_root, wheels
from toolchain.images.archive import Settings
from toolchain.images.layer import Layer

# The user `nobody` of Debian and of most clusters' policies.
_NOBODY = "65534:65534"
_PYTHON_GROUPS = ("proxy", "modelserver")


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image and how it is made."""

    name: str
    """Name of the archive and, with `image-` before it, of the artifact."""
    repository: str
    """Image reference without its tag."""
    version: Callable[[], str]
    """Version of the content; content-versioned images have a hash put behind it."""
    layers: Callable[[str], Sequence[Layer]]
    """Makes the layers for an architecture, from the bottom up."""
    settings: Settings
    tag: str | None = None
    """Fixed tag, where somebody else's manifest names it; else the tag is the version."""
    content_versioned: bool = False
    """Its content changes with this repository, so that a hash of it has to be part of the version."""
    program: str | None = None
    """Package of this repository that is in it."""
    architectures: tuple[str, ...] = field(default=("amd64", "arm64"))


def project_version() -> str:
    """Return the version in pyproject.toml."""
    return tomllib.loads((program.CHECKOUT / "pyproject.toml").read_text())["project"]["version"]


def _labels(title: str, licences: str) -> dict[str, str]:
    return {"org.opencontainers.image.title": title, "org.opencontainers.image.licenses": licences}


def _python_layers(name: str, architecture: str) -> list[Layer]:
    return [
        python_root.layer(architecture),
        *wheels.layers(name, _PYTHON_GROUPS, architecture),
        program.layer(name),
    ]


def _python_image(name: str, title: str, ports: tuple[str, ...]) -> Image:
    return Image(
        name=name,
        repository=f"kubevc.io/{name}",
        version=project_version,
        content_versioned=True,
        layers=partial(_python_layers, name),
        program=name,
        settings=Settings(
            entrypoint=("python3", "-m", name),
            user=_NOBODY,
            environment={
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": "/tmp",
                "PYTHONPATH": program.HOME,
                "PYTHONSAFEPATH": "1",
                "PYTHONUNBUFFERED": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
            ports=ports,
            labels=_labels(title, "Apache-2.0 (KubEVC); each package's own in its dist-info and /usr/share/doc"),
        ),
    )


CATALOGUE = (
    Image(
        name="pause",
        repository="docker.io/rancher/mirrored-pause",
        version=lambda: "3.6",
        layers=pause.layers,
        settings=Settings(entrypoint=("/pause",), user=_NOBODY, labels=_labels("KubEVC's pause", "Apache-2.0")),
        architectures=("amd64", "arm64", "armhf"),
    ),
    Image(
        name="coredns",
        repository="docker.io/rancher/mirrored-coredns-coredns",
        # The manifest inside k3s v1.26.2+k3s1 asks for this tag; what runs is the version of the recipe.
        tag="1.9.4",
        version=coredns.version,
        layers=coredns.layers,
        settings=Settings(entrypoint=("/coredns",), labels=_labels("CoreDNS, built by KubEVC", "Apache-2.0")),
        architectures=("amd64", "arm64", "armhf"),
    ),
    _python_image("proxy", "KubEVC endpoint proxy", ("8080/tcp",)),
    _python_image("modelserver", "KubEVC model server", ("8500/tcp", "8501/tcp")),
)

"""The images of a site without a registry. A new one is an entry here and a module that makes its layers."""

import tomllib
from functools import partial

from toolchain.images import binary, kubeadm, pause, program, python_root, wheels
from toolchain.images.archive import Settings
from toolchain.images.image import Image, labels
from toolchain.images.layer import Layer

# The user `nobody` of Debian and of most clusters' policies.
_NOBODY = "65534:65534"
_PYTHON_GROUPS = ("proxy", "modelserver")


def project_version() -> str:
    """Return the version in pyproject.toml."""
    return tomllib.loads((program.CHECKOUT / "pyproject.toml").read_text())["project"]["version"]


def _python_layers(name: str, architecture: str) -> list[Layer]:
    return [
        python_root.ROOT.layer(architecture),
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
            labels=labels(title, "Apache-2.0 (KubEVC); each package's own in its dist-info and /usr/share/doc"),
        ),
    )


ANY_SITE = (
    Image(
        name="pause",
        repository="docker.io/rancher/mirrored-pause",
        also_named=("registry.k8s.io/pause:3.10.1",),
        version=lambda: "3.6",
        layers=pause.layers,
        settings=Settings(entrypoint=("/pause",), user=_NOBODY, labels=labels("KubEVC's pause", "Apache-2.0")),
        architectures=("amd64", "arm64", "armhf"),
    ),
    binary.image(
        "coredns",
        "registry.k8s.io/coredns/coredns",
        tag="v1.12.1",
        # The manifest inside k3s v1.26.2+k3s1 asks for this tag; what runs is the version of the recipe.
        also_named=("docker.io/rancher/mirrored-coredns-coredns:1.9.4",),
        place="/",
        architectures=("amd64", "arm64", "armhf"),
    ),
    _python_image("proxy", "KubEVC endpoint proxy", ("8080/tcp",)),
    _python_image("modelserver", "KubEVC model server", ("8500/tcp", "8501/tcp")),
)
"""Images for k3s and kubeadm sites; the first two go by the name that either asks for."""

CATALOGUE = (*ANY_SITE, *kubeadm.IMAGES)

"""Where each publisher keeps a release, its files for our architectures, and their checksums."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from components.pinning.errors import PinError
from components.pinning.proof import Archived, ClearSigned, Cosigned, Listed, Proof
from components.site import Architecture

PLAIN_VERSION = r"v\d+\.\d+\.\d+(-(alpha|beta|rc)\.\d+)?"
GO_NAMES: dict[Architecture, str] = {"amd64": "amd64", "arm64": "arm64", "armhf": "arm"}
"""What publishers that follow Go call our architectures."""


@dataclass(frozen=True, kw_only=True)
class Upstream:
    """Where the publishers are."""

    github: str = "https://github.com"
    kubernetes: str = "https://dl.k8s.io"

    def github_release(self, repository: str, version: str) -> str:
        """Return the address below which the files of a release are."""
        return f"{self.github}/{repository}/releases/download/{quote(version, safe='')}"


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """A file of a release for one architecture."""

    name: str
    """The artifact's name in lock tables."""
    architecture: Architecture
    url: str
    proof: Proof
    image: str | None = None
    """Reference that pods name, for an archive with a container image."""


@dataclass(frozen=True, kw_only=True)
class Release:
    """What can be pinned under one name."""

    version_form: str
    example: str
    files: Callable[[Upstream, str], Iterator[PublishedFile]]
    """The files of a version; a publisher need not have them for each architecture."""


def _k3s(upstream: Upstream, version: str) -> Iterator[PublishedFile]:
    base = upstream.github_release("k3s-io/k3s", version)
    suffixes: dict[Architecture, str] = {"amd64": "", "arm64": "-arm64", "armhf": "-armhf"}
    for architecture, suffix in suffixes.items():
        proof = Listed(checksums_url=f"{base}/sha256sum-{GO_NAMES[architecture]}.txt")
        yield PublishedFile(name="k3s", architecture=architecture, url=f"{base}/k3s{suffix}", proof=proof)


def _kubeadm(upstream: Upstream, version: str) -> Iterator[PublishedFile]:
    for architecture, go_name in GO_NAMES.items():
        for name in ("kubeadm", "kubelet", "kubectl"):
            url = f"{upstream.kubernetes}/release/{version}/bin/linux/{go_name}/{name}"
            proof = Cosigned(checksums_url=f"{url}.sha256")
            yield PublishedFile(name=name, architecture=architecture, url=url, proof=proof)


def _kubernetes_images(upstream: Upstream, version: str) -> Iterator[PublishedFile]:
    for architecture, go_name in GO_NAMES.items():
        for name in ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"):
            url = f"{upstream.kubernetes}/release/{version}/bin/linux/{go_name}/{name}.tar"
            yield PublishedFile(
                name=f"image-{name}",
                architecture=architecture,
                url=url,
                proof=Cosigned(checksums_url=f"{url}.sha256"),
                image=f"registry.k8s.io/{name}:{version}",
            )


def _containerd(upstream: Upstream, version: str) -> Iterator[PublishedFile]:
    base = upstream.github_release("containerd/containerd", version)
    for architecture, go_name in GO_NAMES.items():
        url = f"{base}/containerd-{version.removeprefix('v')}-linux-{go_name}.tar.gz"
        proof = Listed(checksums_url=f"{url}.sha256sum")
        yield PublishedFile(name="containerd", architecture=architecture, url=url, proof=proof)


def _runc(upstream: Upstream, version: str) -> Iterator[PublishedFile]:
    base = upstream.github_release("opencontainers/runc", version)
    proof = ClearSigned(checksums_url=f"{base}/runc.sha256sum")
    for architecture in GO_NAMES:
        yield PublishedFile(name="runc", architecture=architecture, url=f"{base}/runc.{architecture}", proof=proof)


def _cni_plugins(upstream: Upstream, version: str) -> Iterator[PublishedFile]:
    base = upstream.github_release("containernetworking/plugins", version)
    for architecture, go_name in GO_NAMES.items():
        url = f"{base}/cni-plugins-linux-{go_name}-{version}.tgz"
        proof = Listed(checksums_url=f"{url}.sha256")
        yield PublishedFile(name="cni-plugins", architecture=architecture, url=url, proof=proof)


def _flannel_cni(upstream: Upstream, version: str) -> Iterator[PublishedFile]:
    base = upstream.github_release("flannel-io/cni-plugin", version)
    for architecture, go_name in GO_NAMES.items():
        # The archive of v1.5.1-flannel2 has the whole tag in its name, that of v1.9.1-flannel1 only v1.9.1.
        tags = dict.fromkeys([version, version.split("-")[0]])
        archives = tuple(f"{base}/cni-plugin-flannel-linux-{go_name}-{tag}.tgz" for tag in tags)
        url, proof = f"{base}/flannel-{go_name}", Archived(archive_urls=archives)
        yield PublishedFile(name="flannel-cni", architecture=architecture, url=url, proof=proof)


RELEASES = {
    "k3s": Release(version_form=r"v\d+\.\d+\.\d+\+k3s\d+", example="v1.34.3+k3s1", files=_k3s),
    "kubeadm": Release(version_form=PLAIN_VERSION, example="v1.34.1", files=_kubeadm),
    "kubernetes-images": Release(version_form=PLAIN_VERSION, example="v1.34.1", files=_kubernetes_images),
    "containerd": Release(version_form=PLAIN_VERSION, example="v1.7.28", files=_containerd),
    "runc": Release(version_form=PLAIN_VERSION, example="v1.3.3", files=_runc),
    "cni-plugins": Release(version_form=PLAIN_VERSION, example="v1.8.0", files=_cni_plugins),
    "flannel-cni": Release(version_form=r"v\d+\.\d+\.\d+(-flannel\d+)?", example="v1.9.1-flannel1", files=_flannel_cni),
}


def wanted(request: str) -> tuple[Release, str]:
    """Read `NAME=VERSION`.

    Raises:
        PinError: The name is not known, or the version has not the form of its tags.
    """
    name, _, version = request.partition("=")
    if name not in RELEASES:
        raise PinError(
            where="NAME=VERSION",
            found=f'"{request}"',
            why="Where a publisher keeps its checksums is known for some names only.",
            fix=f"Use one of {', '.join(RELEASES)}, such as kubeadm={RELEASES['kubeadm'].example}.",
        )
    release = RELEASES[name]
    if not re.fullmatch(release.version_form, version):
        raise PinError(
            where=name,
            found=f'version "{version}"',
            why="The version becomes a part of the publisher's addresses.",
            fix=f"Write it as the publisher's tag: {name}={release.example}",
        )
    return release, version

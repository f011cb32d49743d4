"""Rules of a cluster's version and of what it runs containers with, one pure function each."""

from __future__ import annotations

from collections.abc import Iterator

from components.errors import Problem
from components.site import Site
from edgehost.client import KubernetesVersion

FIRST_VERSIONS = {"k3s": "v1.26.2+k3s1", "kubeadm": "v1.31.0"}
"""The oldest version of each distribution that this program can make."""
REASONS = {
    # https://docs.k3s.io/cli/token
    "k3s": "Before v1.26.2 k3s has no tokens with a short life; nodes would join with a lasting secret.",
    # https://github.com/kubernetes/kubernetes/pull/125029
    "kubeadm": "kubeadm is configured here in the form v1beta4, which it has since v1.31.",
}


def version_is_one_of_the_distribution(site: Site) -> Iterator[Problem]:
    """Refuse a version in the form of the other distribution."""
    version, distribution = site.kubernetes.version, site.kubernetes.distribution
    plain, _, build = version.partition("+")
    if distribution == "k3s" and not build:
        yield Problem(
            where="kubernetes > version",
            found=version,
            why="k3s releases have a suffix that tells builds of one Kubernetes version apart.",
            fix=f"Write {version}+k3s1, or the release you mean.",
        )
    if distribution == "kubeadm" and build:
        yield Problem(
            where="kubernetes > version",
            found=f"{version} with distribution kubeadm",
            why=f"+{build} is a build of k3s; Kubernetes' own releases have no suffix.",
            fix=f"Write {plain}, or distribution: k3s.",
        )


def version_is_new_enough(site: Site) -> Iterator[Problem]:
    """Refuse versions without something that this program builds on."""
    version, distribution = site.kubernetes.version, site.kubernetes.distribution
    first = FIRST_VERSIONS[distribution]
    if _without_build(version) < _without_build(first):
        yield Problem(
            where="kubernetes > version",
            found=version,
            why=REASONS[distribution],
            fix=f"Use {first} or newer.",
        )


def _without_build(version: str) -> KubernetesVersion:
    return KubernetesVersion.parse(version.partition("+")[0])


def kubeadm_has_a_container_runtime(site: Site) -> Iterator[Problem]:
    """Refuse a runtime that would have to come with kubeadm."""
    kubernetes = site.kubernetes
    if kubernetes.distribution == "kubeadm" and kubernetes.container_runtime == "bundled":
        yield Problem(
            where="kubernetes > container-runtime",
            found="bundled (also when nothing is written), with distribution kubeadm",
            why="kubeadm brings no container runtime, so that no pod could start.",
            fix="Write container-runtime: packages, for containerd, runc and CNI plugins of the host's own system.",
        )


VERSION_RULES = (version_is_one_of_the_distribution, version_is_new_enough, kubeadm_has_a_container_runtime)
"""Every rule of this file, in the order of the site's file."""

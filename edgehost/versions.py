"""Versions of Kubernetes: their order, and which changes from one to another are safe."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

# `v1.34.1`, `v1.26.2+k3s1`; what else may follow (`-rc.1`, `+dirty`) does not count.
TEXT = re.compile(r"v?(\d+)\.(\d+)\.(\d+)(?:[-+].*)?")
K3S_BUILD = re.compile(r"\+k3s(\d+)$")
# Kubernetes' policy of version skew (https://kubernetes.io/releases/version-skew-policy/).
KUBELET_MINORS_BEHIND = 3
EARLY_KUBELET_MINORS_BEHIND = 2
FIRST_PATIENT_KUBELET_MINOR = 25


@dataclass(frozen=True, kw_only=True, order=True)
class KubernetesVersion:
    """Hold a version's numbers, in the order in which they decide.

    Attributes:
        major: The first number.
        minor: The second, by which compatibility is told.
        patch: The third.
        build: The number of k3s' build of it; 0 where there is none.
    """

    major: int
    minor: int
    patch: int
    build: int = 0

    @classmethod
    def parse(cls, text: str) -> "KubernetesVersion":
        """Read a version as Kubernetes and k3s write it.

        Raises:
            ValueError: The text is no version.
        """
        found = TEXT.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r} is no version of Kubernetes, such as v1.34.1 or v1.34.3+k3s1")
        build = K3S_BUILD.search(text)
        major, minor, patch = map(int, found.groups())
        return cls(major=major, minor=minor, patch=patch, build=int(build[1]) if build else 0)

    @property
    def series(self) -> str:
        """Return the version without its patch: `v1.34`."""
        return f"v{self.major}.{self.minor}"

    def nearest(self, others: Iterable["KubernetesVersion"]) -> "KubernetesVersion":
        """Return the version whose series is the fewest minor versions away; of several, the newest.

        Raises:
            ValueError: There is no other version.
        """
        return max(others, key=lambda other: (-abs(self.major - other.major), -abs(self.minor - other.minor), other))


class VersionProblem(NamedTuple):
    """Say in words what is wrong with a change of versions: the last three parts of a message to a person."""

    found: str
    why: str
    fix: str


def change_problem(running: str, wanted: str) -> VersionProblem | None:
    """Return what forbids to lead a cluster from one version to another, or None.

    kubeadm upgrades one minor version at a time
    (https://kubernetes.io/docs/tasks/administer-cluster/kubeadm/kubeadm-upgrade/), and k3s asks for the same
    (https://docs.k3s.io/upgrades/manual). Neither leads back.

    Args:
        running: The version that the cluster runs.
        wanted: The version that it shall run.

    Raises:
        ValueError: One of them is no version.
    """
    old, new = KubernetesVersion.parse(running), KubernetesVersion.parse(wanted)
    if new < old:
        return VersionProblem(
            f"{wanted}, older than {running}, which the cluster runs",
            "An older version may not be able to read what a newer one has stored.",
            f"Write {running} or a newer one; for an older cluster, destroy this one first.",
        )
    if new.major == old.major and new.minor > old.minor + 1:
        between = KubernetesVersion(major=old.major, minor=old.minor + 1, patch=0).series
        return VersionProblem(
            f"{wanted}, {new.minor - old.minor} minor versions after {running}, which the cluster runs",
            "A cluster is upgraded from one minor version to the next; what is stored is carried over at each step.",
            f"Go through a {between} release first.",
        )
    return None


def kubelet_problem(kubelet: str, api_server: str) -> VersionProblem | None:
    """Return what forbids a kubelet beside an API server, or None; patch versions do not matter.

    Raises:
        ValueError: One of them is no version.
    """
    node, api = KubernetesVersion.parse(kubelet), KubernetesVersion.parse(api_server)
    if (node.major, node.minor) > (api.major, api.minor):
        return VersionProblem(
            f"a kubelet of {kubelet} beside an API server of {api_server}",
            "A kubelet asks for what only an API server of its own age or newer has.",
            f"Upgrade the control plane to {node.series} before the node.",
        )
    patient = node.minor >= FIRST_PATIENT_KUBELET_MINOR
    behind = KUBELET_MINORS_BEHIND if patient else EARLY_KUBELET_MINORS_BEHIND
    if api.minor - node.minor > behind:
        return VersionProblem(
            f"a kubelet of {kubelet} beside an API server of {api_server}",
            f"A kubelet of {node.series} may be at most {behind} minor versions older than the API server.",
            "Take the node out of the site's file, run `pulumi up`, and put it back: it joins with the new version.",
        )
    return None

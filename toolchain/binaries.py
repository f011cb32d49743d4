"""The lab's binaries: built once, listed in the artifact table."""

from collections.abc import Sequence
from dataclasses import dataclass

from toolchain import index, recipes
from toolchain.build import build, is_built
from toolchain.index import Artifact
from toolchain.recipes import Recipe

_K3S = ("k3s", "flannel-cni")
# Both kinds of host have flannel's delegate; what runs in pods comes in images.
_KUBEADM = ("kubeadm", "kubelet", "kubectl")


@dataclass(frozen=True, kw_only=True)
class Binary:
    """A set-up step: one recipe's binary as an artifact for hosts of one architecture."""

    recipe: Recipe
    architecture: str

    @property
    def name(self) -> str:
        return f"{self.recipe.name} {self.recipe.version} for {self.architecture}"

    @property
    def artifact(self) -> Artifact:
        """Its row in the artifact table."""
        return Artifact(
            name=self.recipe.name,
            version=self.recipe.version,
            architecture=self.architecture,
            file_name=self.recipe.binary,
        )

    def is_done(self) -> bool:
        if not is_built(self.recipe, self.architecture) or not index.has(self.artifact):
            return False
        # The table links to the result, so another inode is the result of an older recipe.
        return self.artifact.path.samefile(self.recipe.result(self.architecture))

    def run(self) -> None:
        index.add(self.artifact, build(self.recipe, self.architecture))


def steps(architecture: str) -> tuple[Binary, ...]:
    """Return the steps for hosts of a k3s site."""
    return _steps(_K3S, architecture)


def kubeadm_steps(architecture: str) -> tuple[Binary, ...]:
    """Return the further steps for hosts of a kubeadm site; none for armhf, which Kubernetes 1.27 and newer left."""
    return _kubernetes_steps("kubernetes", architecture)


def earlier_kubernetes_steps(architecture: str) -> tuple[Binary, ...]:
    """Return the same steps for the version that an upgrade begins with."""
    return _kubernetes_steps(recipes.EARLIER_KUBERNETES, architecture)


def _kubernetes_steps(release: str, architecture: str) -> tuple[Binary, ...]:
    return () if architecture == "armhf" else _steps([f"{release}/{name}" for name in _KUBEADM], architecture)


def _steps(keys: Sequence[str], architecture: str) -> tuple[Binary, ...]:
    return tuple(Binary(recipe=recipes.table()[key], architecture=architecture) for key in keys)

"""Where a workload runs: on workers with the labels for it, of every architecture that its image is there for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.artifacts import ArtifactSource
from components.errors import LockTableError
from components.handles import Worker
from components.workloads import Workload


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A workload's image, and the architectures of the nodes that it may run on."""

    image: str
    architectures: tuple[str, ...]


def place(workload: Workload, workers: Sequence[Worker], artifacts: ArtifactSource) -> pulumi.Output[Placement]:
    """Return where a workload runs; it resolves when the workers' architectures are known."""

    def placed(known: Sequence[str]) -> Placement:
        pairs = zip(workers, known, strict=True)
        able = [architecture for worker, architecture in pairs if workload.may_run(worker.labels, architecture)]
        return placement(workload, list(dict.fromkeys(able)), artifacts)

    return pulumi.Output.all(*(worker.host.architecture for worker in workers)).apply(placed)


def placement(workload: Workload, architectures: Sequence[str], artifacts: ArtifactSource) -> Placement:
    """Return where a workload runs among nodes of some architectures.

    A pod has one image reference, whatever node it comes to run on. The first node's decides; another architecture is
    left out where the table's newest image for it has another reference. The site's rules see to it that there is a
    node.

    Raises:
        pulumi.RunError: The table does not have the image, or does not say how pods name it.
    """
    images = {architecture: _image(workload, architecture, artifacts) for architecture in architectures}
    image = next(iter(images.values()))
    return Placement(image=image, architectures=tuple(sorted(name for name, other in images.items() if other == image)))


def _image(workload: Workload, architecture: str, artifacts: ArtifactSource) -> str:
    if workload.image_artifact is None:
        return workload.image_reference or ""
    try:
        artifact = artifacts.locate(workload.image_artifact, None, architecture)
    except LockTableError as error:
        raise pulumi.RunError(str(error)) from error
    if artifact.image is None:
        raise pulumi.RunError(
            f"artifacts > lock-files: {artifact.name} has no image: add the reference that its archive has"
        )
    return artifact.image

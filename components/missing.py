"""Artifacts that no table has: which nodes need them, and the nearest thing that there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.artifacts import ArtifactSource
from components.errors import LockTableError, Problem
from components.site import Site
from components.workloads import workloads
from edgehost.client import KubernetesVersion

IMAGES_TABLE = "${KUBEVC_CACHE}/artifacts/index.yaml"
"""Where `make images` writes its rows."""


@dataclass(frozen=True, kw_only=True)
class Need:
    """An artifact that nodes of an architecture need."""

    artifact: str
    """Name in the tables."""
    version: str | None
    """Version in the tables, or None for any."""
    architecture: str
    """Architecture of the nodes."""


@dataclass(frozen=True, kw_only=True)
class _Gap:
    """Artifacts that are missing for one reason, and so are told of together."""

    needs: Sequence[Need]
    nodes: Sequence[str]

    @property
    def version(self) -> str | None:
        return self.needs[0].version

    @property
    def architecture(self) -> str:
        return self.needs[0].architecture


def missing_artifacts(site: Site, artifacts: ArtifactSource, needs: Iterable[tuple[str, Need]]) -> list[Problem]:
    """Return what keeps artifacts from being installed on the nodes that need them.

    Args:
        site: The site.
        artifacts: Its tables.
        needs: Name of a node with each artifact that it needs.
    """
    needed: dict[Need, list[str]] = {}
    for node, need in needs:
        needed.setdefault(need, []).append(node)
    gaps = [_problem(site, artifacts, gap, needed) for gap in _gaps(artifacts, needed)]
    return [*gaps, *_unpinned(artifacts, needed)]


def _has(artifacts: ArtifactSource, need: Need) -> bool:
    return any(table.find(need.artifact, need.version, need.architecture) for table in artifacts.tables)


def _gaps(artifacts: ArtifactSource, needed: Mapping[Need, Sequence[str]]) -> Iterator[_Gap]:
    """Yield what is missing: all artifacts of one version together, since one release brings them all."""
    groups: dict[tuple[str, str], list[Need]] = {}
    for need in needed:
        if not _has(artifacts, need):
            groups.setdefault((need.version or need.artifact, need.architecture), []).append(need)
    for group in groups.values():
        yield _Gap(needs=group, nodes=sorted({node for need in group for node in needed[need]}))


def _unpinned(artifacts: ArtifactSource, needed: Iterable[Need]) -> Iterator[Problem]:
    for need in needed:
        if _has(artifacts, need):
            try:
                artifacts.locate(need.artifact, need.version, need.architecture)
            except LockTableError as error:
                yield error.problem


def _problem(site: Site, artifacts: ArtifactSource, gap: _Gap, needed: Iterable[Need]) -> Problem:
    names = ", ".join(need.artifact for need in gap.needs)
    tables = ", ".join(str(table.path) for table in artifacts.tables)
    verb = "needs" if len(gap.nodes) == 1 else "need"
    return Problem(
        where="artifacts > lock-files",
        found=f"no row for {names} {gap.version or '(any version)'} {gap.architecture}, "
        f"which {' and '.join(gap.nodes)} {verb}, in {tables}",
        why="Only files with a pinned checksum are installed.",
        fix=_other_version(site, artifacts, gap, needed)
        or _image_of_this_project(site, gap)
        or _other_architecture(artifacts, gap)
        or "Add a row for it, or name a table that has one.",
    )


def _other_version(site: Site, artifacts: ArtifactSource, gap: _Gap, needed: Iterable[Need]) -> str | None:
    """Return the version of Kubernetes nearest to the site's that the tables have whole for the architecture."""
    wanted = site.kubernetes.version
    if gap.version != wanted:
        return None
    release = [need for need in needed if (need.version, need.architecture) == (wanted, gap.architecture)]
    there = set[str].intersection(*(_versions(artifacts, need) for need in release))
    if not there:
        return None
    texts = {KubernetesVersion.parse(text): text for text in there}
    nearest = texts[KubernetesVersion.parse(wanted).nearest(texts)]
    return f"Write kubernetes > version: {nearest}, the nearest that they have for {gap.architecture}, or add rows."


def _versions(artifacts: ArtifactSource, need: Need) -> set[str]:
    entries = (entry for table in artifacts.tables for entry in table.entries)
    fitting = (need.architecture, "any")
    return {entry.version for entry in entries if entry.name == need.artifact and entry.architecture in fitting}


def _image_of_this_project(site: Site, gap: _Gap) -> str | None:
    """Return how an image that this project makes is made, or how a node does without it."""
    name, architecture = gap.needs[0].artifact, gap.architecture
    load = next((load for load in workloads(site).values() if load.image_artifact == name), None)
    if load is None:
        return None
    if architecture in load.architectures:
        return f"Make it with: make images ARCH={architecture}. Its rows are in {IMAGES_TABLE}."
    return (
        f"It exists for {' and '.join(load.architectures)} only. Write architecture: {architecture} for "
        f"{' and '.join(gap.nodes)} in the site's file: what cannot run there is then kept off."
    )


def _other_architecture(artifacts: ArtifactSource, gap: _Gap) -> str | None:
    others = artifacts.architectures(gap.needs[0].artifact, gap.version)
    if not others:
        return None
    return f"They have it for {' and '.join(others)}: use such hosts, or add a row for {gap.architecture}."

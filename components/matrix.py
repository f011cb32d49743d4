"""The matrix of architectures: what each node needs must exist for the node's architecture.

What can be together at all is said by the rules in `architecture_rules.py`; what the site's tables have, in
`missing.py`. Both are asked twice: when the site's file is read, and again with the architectures that hosts tell,
before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from components.architecture_rules import ARCHITECTURE_RULES, DISTRIBUTION_ARCHITECTURES
from components.artifacts import ArtifactSource
from components.cluster import node_preparation
from components.errors import Problem
from components.missing import Need, missing_artifacts
from components.site import Architecture, Site


def problems_of_the_file(site: Site, artifacts: ArtifactSource) -> list[Problem]:
    """Return what the tables lack for the architectures that the site's file gives."""
    return missing_artifacts(
        site, artifacts, _needs(site, {n.name: n.architecture for n in site.nodes if n.architecture})
    )


def problems_of_the_hosts(site: Site, artifacts: ArtifactSource, told: Mapping[str, str]) -> list[Problem]:
    """Return what is impossible or missing for the architectures that only hosts tell.

    Args:
        site: The site, with which nothing is wrong as far as its file tells.
        artifacts: Its tables.
        told: Name of each host that answered to what it calls its architecture.
    """
    new = {node.name: told[node.name] for node in site.nodes if node.architecture is None and node.name in told}
    new = {name: architecture for name, architecture in new.items() if architecture in get_args(Architecture)}
    nodes = tuple(
        node.model_copy(update={"architecture": new.get(node.name, node.architecture)}) for node in site.nodes
    )
    known = site.model_copy(update={"nodes": nodes})
    impossible = [problem for rule in ARCHITECTURE_RULES for problem in rule(known)]
    return [*impossible, *missing_artifacts(site, artifacts, _needs(site, new))]


def _needs(site: Site, architectures: Mapping[str, str]) -> Iterator[tuple[str, Need]]:
    """Yield each node's name with each artifact that it needs, where its architecture is known and possible."""
    for node in site.nodes:
        architecture = architectures.get(node.name, "")
        if architecture in DISTRIBUTION_ARCHITECTURES[site.kubernetes.distribution]:
            for file in node_preparation(site, node).installed:
                yield node.name, Need(artifact=file.artifact, version=file.version, architecture=architecture)

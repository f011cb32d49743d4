"""Rules of what runs on which architecture, one pure function each.

They hold as far as architectures are known: asked when the site's file is read, and again with what the hosts say.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.errors import Problem
from components.frameworks import FRAMEWORKS
from components.site import Node, Site
from components.workloads import Workload, workloads

DISTRIBUTION_ARCHITECTURES = {"k3s": ("amd64", "arm64", "armhf"), "kubeadm": ("amd64", "arm64")}
"""Architectures that a distribution is released for. Kubernetes gave up 32-bit ARM in 1.27
(https://github.com/kubernetes/kubernetes/issues/115738); k3s still builds it."""


def the_distribution_has_the_architectures(site: Site) -> Iterator[Problem]:
    """Refuse hosts that the distribution is not released for."""
    distribution = site.kubernetes.distribution
    for position, node in enumerate(site.nodes, start=1):
        if node.architecture is not None and node.architecture not in DISTRIBUTION_ARCHITECTURES[distribution]:
            yield Problem(
                where=f"nodes > {position} > architecture",
                found=f"{node.architecture} with distribution {distribution}",
                why="Since 1.27 Kubernetes publishes no kubelet or kubeadm for 32-bit ARM; only k3s does.",
                fix="Write distribution: k3s, or use a 64-bit system on that host.",
            )


def every_workload_has_a_node(site: Site) -> Iterator[Problem]:
    """Refuse a workload for which every worker that its labels choose is of an architecture that its image lacks."""
    for where, load in workloads(site).items():
        wanted = [node for node in site.workers if load.wants(node.labels, node.architecture)]
        if wanted and not any(load.may_run(node.labels, node.architecture) for node in wanted):
            yield Problem(
                where=where,
                found=f"{load.what}, and no node to run it: {_with_architectures(wanted)}",
                why=f"Its image exists for {' and '.join(load.architectures)} only.",
                fix=_nearest_choice(load, wanted),
            )


def _with_architectures(nodes: Sequence[Node]) -> str:
    return ", ".join(f"{node.name} ({node.architecture})" for node in nodes)


def _nearest_choice(load: Workload, nodes: Sequence[Node]) -> str:
    """Return another framework that runs on these nodes; if there is none, which nodes would do."""
    there = {node.architecture for node in nodes}
    frameworks = [name for name, framework in FRAMEWORKS.items() if there.intersection(framework.architectures)]
    if load.what in FRAMEWORKS and frameworks:
        return f"Write framework: {frameworks[0]}, or add an agent of {' or '.join(load.architectures)}."
    return f"Add an agent of {' or '.join(load.architectures)}, or use a 64-bit system on one of these hosts."


ARCHITECTURE_RULES = (the_distribution_has_the_architectures, every_workload_has_a_node)
"""Every rule of this file, in the order of the site's file."""

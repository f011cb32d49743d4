"""Rules between the fields of a site, one pure function each; every one returns the problems it finds.

Here are those of models and of what proves the site; the others are in files of their own, each named by its subject.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from components.access_rules import ACCESS_RULES
from components.architecture_rules import ARCHITECTURE_RULES
from components.errors import Problem
from components.network_rules import NETWORK_RULES
from components.node_rules import NODE_RULES
from components.repeats import repeats
from components.site import Site
from components.version_rules import VERSION_RULES
from components.workloads import server_of

Rule = Callable[[Site], Iterator[Problem]]


def model_names_are_unique(site: Site) -> Iterator[Problem]:
    """Refuse two models of one name."""
    for position, first in repeats(model.name for model in site.models):
        yield Problem(
            where=f"models > {position} > name",
            found=f"{site.models[position - 1].name}, the name of model {first} too",
            why="Requests name the model; they could not tell the two apart.",
            fix="Give each model a name of its own. Versions of one model are folders in its source.",
        )


def node_selectors_find_a_node(site: Site) -> Iterator[Problem]:
    """Refuse a model whose node selector no worker of the site has the labels for."""
    for position, model in enumerate(site.models, start=1):
        if not any(server_of(model).wants(node.labels, node.architecture) for node in site.workers):
            wanted = ", ".join(f"{key}: {value}" for key, value in model.node_selector.items())
            yield Problem(
                where=f"models > {position} > node-selector",
                found=f"{wanted}, and no node that runs workloads has these labels",
                why="Its servers would wait for a node for ever.",
                fix="Give a node these labels, or take them out here.",
            )


def smoke_model_is_served(site: Site) -> Iterator[Problem]:
    """Refuse a proving request for a model that the site does not serve."""
    names = [model.name for model in site.models]
    if site.smoke.model not in names:
        yield Problem(
            where="smoke > model",
            found=site.smoke.model,
            why="The site is proven by asking one of its own models.",
            fix=f"Name one of: {', '.join(names)}.",
        )


def image_collection_thresholds_are_ordered(site: Site) -> Iterator[Problem]:
    """Refuse a low threshold of image deletion that is not below the high one; kubelet would not start."""
    kubelet = site.kubernetes.kubelet
    if kubelet.image_gc_low_threshold_percent >= kubelet.image_gc_high_threshold_percent:
        yield Problem(
            where="kubernetes > kubelet > image-gc-low-threshold-percent",
            found=f"{kubelet.image_gc_low_threshold_percent}, not below the high threshold of "
            f"{kubelet.image_gc_high_threshold_percent}",
            why="kubelet refuses to start with such thresholds.",
            fix="Lower it below image-gc-high-threshold-percent.",
        )


RULES: tuple[Rule, ...] = (
    *NODE_RULES,
    *NETWORK_RULES,
    *VERSION_RULES,
    image_collection_thresholds_are_ordered,
    *ARCHITECTURE_RULES,
    model_names_are_unique,
    node_selectors_find_a_node,
    smoke_model_is_served,
    *ACCESS_RULES,
)
"""Every rule; a person reads the problems in this order."""


def broken_rules(site: Site) -> list[Problem]:
    """Return what breaks any rule."""
    return [problem for rule in RULES for problem in rule(site)]

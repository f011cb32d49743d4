"""Rules between the fields of a site, one pure function each; every one returns the problems it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from components.access_rules import ACCESS_RULES
from components.errors import Problem
from components.frameworks import framework_of
from components.site import Model, ModelStore, Node, Site

Rule = Callable[[Site], Iterator[Problem]]
BUILT_DISTRIBUTIONS = ("k3s",)
FIRST_JOINING_VERSION = (1, 26, 2)
"""First k3s with short-lived bootstrap tokens (https://docs.k3s.io/cli/token)."""


def _repeats(values: Iterable[str]) -> Iterator[tuple[int, int]]:
    """Yield (position, first position) of every value that was there before, counted from 1."""
    seen: dict[str, int] = {}
    for position, value in enumerate(values, start=1):
        if value in seen:
            yield position, seen[value]
        else:
            seen[value] = position


def node_names_are_unique(site: Site) -> Iterator[Problem]:
    """Refuse two nodes of one name."""
    for position, first in _repeats(node.name for node in site.nodes):
        yield Problem(
            where=f"nodes > {position} > name",
            found=f"{site.nodes[position - 1].name}, the name of node {first} too",
            why="The cluster knows a node by its name; the second would take the place of the first.",
            fix="Give each node a name of its own.",
        )


def model_names_are_unique(site: Site) -> Iterator[Problem]:
    """Refuse two models of one name."""
    for position, first in _repeats(model.name for model in site.models):
        yield Problem(
            where=f"models > {position} > name",
            found=f"{site.models[position - 1].name}, the name of model {first} too",
            why="Requests name the model; they could not tell the two apart.",
            fix="Give each model a name of its own. Versions of one model are folders in its source.",
        )


def addresses_are_unique(site: Site) -> Iterator[Problem]:
    """Refuse two hosts with one address; the model store may be a node."""
    for position, first in _repeats(str(node.address) for node in site.nodes):
        node = site.nodes[position - 1]
        yield Problem(
            where=f"nodes > {position} > address",
            found=f"{node.address}, the address of {site.nodes[first - 1].name} too",
            why="Two nodes at one address are one host, which would be set up twice.",
            fix=f"Give {node.name} the address of its own host, or remove it.",
        )


def the_store_is_a_host_of_its_own_or_a_node(site: Site) -> Iterator[Problem]:
    """Refuse a store that shares only its name or only its address with a node: a host has one of each."""
    store = site.model_store
    for node in site.nodes:
        if (node.name == store.name) != (node.address == store.address):
            yield Problem(
                where="model-store",
                found=f"{store.name} at {store.address}, and a node {node.name} at {node.address}",
                why="They would be taken for one host in one place and for two in another.",
                fix="Give both the same name and address if they are one host; otherwise give each its own.",
            )


def there_is_one_server(site: Site) -> Iterator[Problem]:
    """Refuse a site without a server, or with more than one."""
    servers = [node.name for node in site.nodes if node.role == "server"]
    if len(servers) == 1:
        return
    found = "no node has role: server" if not servers else f"{len(servers)} servers: {', '.join(servers)}"
    fix = "Give one node role: server." if not servers else "Keep role: server on one of them; make the others agents."
    yield Problem(
        where="nodes",
        found=found,
        why="Exactly one node starts the cluster; the others join it.",
        fix=fix,
    )


def networks_are_disjoint(site: Site) -> Iterator[Problem]:
    """Refuse pod and service networks that overlap each other."""
    kubernetes = site.kubernetes
    networks = {"pod-cidr": kubernetes.pod_cidr, "service-cidr": kubernetes.service_cidr}
    for (name, network), (other_name, other) in combinations(networks.items(), 2):
        if network.overlaps(other):
            yield Problem(
                where=f"kubernetes > {other_name}",
                found=f"{other}, which overlaps {name} {network}",
                why="A packet for an address in both would be sent to the wrong place.",
                fix=f"Choose a range outside {network}, such as 10.43.0.0/16.",
            )


def _holders(site: Site) -> Iterator[tuple[str, Node | ModelStore]]:
    yield from ((f"nodes > {position} > address", node) for position, node in enumerate(site.nodes, start=1))
    yield "model-store > address", site.model_store


def hosts_are_outside_the_cluster_networks(site: Site) -> Iterator[Problem]:
    """Refuse hosts whose address lies in the pod or service network."""
    kubernetes = site.kubernetes
    networks: dict[str, IPv4Network] = {"pod-cidr": kubernetes.pod_cidr, "service-cidr": kubernetes.service_cidr}
    for where, host in _holders(site):
        address: IPv4Address = host.address
        for name, network in networks.items():
            if address in network:
                yield Problem(
                    where=where,
                    found=f"{address}, which lies in {name} {network}",
                    why="The cluster would take packets for the host as its own.",
                    fix=f"Choose another kubernetes > {name} for this site.",
                )


def distribution_is_built(site: Site) -> Iterator[Problem]:
    """Refuse a distribution that this program cannot make yet."""
    if site.kubernetes.distribution not in BUILT_DISTRIBUTIONS:
        yield Problem(
            where="kubernetes > distribution",
            found=site.kubernetes.distribution,
            why="This version of the program makes k3s clusters only.",
            fix="Write distribution: k3s.",
        )


def kubeadm_runs_on_the_architectures(site: Site) -> Iterator[Problem]:
    """Refuse kubeadm on 32-bit ARM, which Kubernetes gave up in 1.27."""
    if site.kubernetes.distribution != "kubeadm":
        return
    for position, node in enumerate(site.nodes, start=1):
        if node.architecture == "armhf":
            yield Problem(
                where=f"nodes > {position} > architecture",
                found="armhf with distribution kubeadm",
                why="Kubernetes publishes no kubelet or kubeadm for 32-bit ARM; only k3s does.",
                fix="Write distribution: k3s, or use a 64-bit system on that host.",
            )


def version_fits_the_distribution(site: Site) -> Iterator[Problem]:
    """Refuse versions that the distribution does not have, or that cannot join nodes by short-lived tokens."""
    kubernetes = site.kubernetes
    if kubernetes.distribution == "k3s" and "+k3s" not in kubernetes.version:
        yield Problem(
            where="kubernetes > version",
            found=kubernetes.version,
            why="k3s releases have a suffix that tells builds of one Kubernetes version apart.",
            fix=f"Write {kubernetes.version}+k3s1, or the release you mean.",
        )
    numbers = tuple(int(part) for part in kubernetes.version.split("+")[0].removeprefix("v").split("."))
    if numbers < FIRST_JOINING_VERSION:
        yield Problem(
            where="kubernetes > version",
            found=kubernetes.version,
            why="Before v1.26.2 k3s has no tokens with a short life; nodes would join with a lasting secret.",
            fix="Use v1.26.2+k3s1 or newer.",
        )


def _unfit(model: Model, workers: Iterable[Node]) -> list[str]:
    known = framework_of(model.framework).architectures
    return [node.name for node in workers if node.architecture is not None and node.architecture not in known]


def frameworks_run_on_the_architectures(site: Site) -> Iterator[Problem]:
    """Refuse a framework none of the site's workers can run, as far as the file tells architectures."""
    for position, model in enumerate(site.models, start=1):
        unfit = _unfit(model, site.workers)
        if len(unfit) == len(site.workers):
            yield Problem(
                where=f"models > {position} > framework",
                found=f"{model.framework}, and no node to run it: {', '.join(unfit)}",
                why=f"Its image exists for {' and '.join(framework_of(model.framework).architectures)} only.",
                fix="Write framework: modelserver, or add a node of that architecture.",
            )


def node_selectors_find_a_node(site: Site) -> Iterator[Problem]:
    """Refuse a model whose node selector no worker of the site has the labels for."""
    for position, model in enumerate(site.models, start=1):
        if not any(model.node_selector.items() <= node.labels.items() for node in site.workers):
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
    node_names_are_unique,
    model_names_are_unique,
    addresses_are_unique,
    the_store_is_a_host_of_its_own_or_a_node,
    there_is_one_server,
    networks_are_disjoint,
    hosts_are_outside_the_cluster_networks,
    distribution_is_built,
    kubeadm_runs_on_the_architectures,
    version_fits_the_distribution,
    frameworks_run_on_the_architectures,
    node_selectors_find_a_node,
    smoke_model_is_served,
    image_collection_thresholds_are_ordered,
    *ACCESS_RULES,
)
"""Every rule, in the order of the site's file."""


def broken_rules(site: Site) -> list[Problem]:
    """Return what breaks any rule."""
    return [problem for rule in RULES for problem in rule(site)]

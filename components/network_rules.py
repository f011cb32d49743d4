"""Rules of a cluster's networks, as far as the site's file tells; what the hosts' own networks add is in `facts.py`."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from components.errors import Problem
from components.site import ModelStore, Node, Site


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


NETWORK_RULES = (networks_are_disjoint, hosts_are_outside_the_cluster_networks)
"""Every rule of this file."""

"""Rules of a site's hosts, one pure function each: their names, their addresses, and who runs the control plane."""

from __future__ import annotations

from collections.abc import Iterator

from components.errors import Problem
from components.repeats import repeats
from components.site import Site

SERVERS = {"k3s": (1,), "kubeadm": (1, 3)}
"""How many nodes of role server this program makes a distribution with."""


def node_names_are_unique(site: Site) -> Iterator[Problem]:
    """Refuse two nodes of one name."""
    for position, first in repeats(node.name for node in site.nodes):
        yield Problem(
            where=f"nodes > {position} > name",
            found=f"{site.nodes[position - 1].name}, the name of node {first} too",
            why="The cluster knows a node by its name; the second would take the place of the first.",
            fix="Give each node a name of its own.",
        )


def addresses_are_unique(site: Site) -> Iterator[Problem]:
    """Refuse two hosts with one address; the model store may be a node."""
    for position, first in repeats(str(node.address) for node in site.nodes):
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


def the_control_plane_is_of_a_size_that_works(site: Site) -> Iterator[Problem]:
    """Refuse a site without a server, or with a number of them that the distribution is not made with."""
    servers = [node.name for node in site.nodes if node.role == "server"]
    distribution = site.kubernetes.distribution
    if len(servers) in SERVERS[distribution]:
        return
    if not servers:
        why, fix = "A server starts the cluster; the others join it.", "Give one node role: server."
    elif distribution == "k3s":
        why = "Exactly one node starts a cluster of k3s; the others join it."
        fix = "Keep role: server on one of them and make the others agents; kubeadm has sites of three."
    elif len(servers) == 2:
        why = "etcd goes on while a majority of its members lives: of two none may fail, so two are less safe than one."
        fix = "Keep role: server on one of them, or add a third."
    else:
        why = "This program makes control planes of one or three; three survive the loss of any one."
        fix = "Keep role: server on three of them and make the others agents."
    found = f"{len(servers)} servers: {', '.join(servers)}" if servers else "no node has role: server"
    yield Problem(where="nodes", found=found, why=why, fix=fix)


NODE_RULES = (
    node_names_are_unique,
    addresses_are_unique,
    the_store_is_a_host_of_its_own_or_a_node,
    the_control_plane_is_of_a_size_that_works,
)
"""Every rule of this file, in the order of the site's file."""

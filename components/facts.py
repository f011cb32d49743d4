"""What hosts' facts tell before anything is written: who cannot become part of the site, and why."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from ipaddress import IPv4Network
from itertools import product
from typing import get_args

from components.errors import Problem
from components.site import Architecture, Kubernetes, ModelStore, Node
from edgehost.client import HostFacts

CLOCK_OFFSET_LIMIT_SECONDS = 30.0
"""Joining fails when a certificate is not valid yet on the node's clock."""
MEMORY_MIB = {
    # Half of what k3s' documentation asks for; below it the node does not come up at all.
    ("k3s", "server"): 900,
    ("k3s", "agent"): 400,
    # kubeadm refuses less before it starts a control plane (ControlPlaneMem in its constants.go).
    ("kubeadm", "server"): 1700,
    ("kubeadm", "agent"): 400,
}
"""Memory that a distribution needs to start in a role."""
KUBEADM_SERVER_PROCESSORS = 2
"""kubeadm refuses fewer before it starts a control plane (ControlPlaneNumCPU in its constants.go)."""
CLUSTER_INTERFACES = ("cni0", "flannel*", "kube-*", "veth*")
"""Interfaces that a running cluster makes itself, whose networks are its own."""
CONTROLLERS = ("cpu", "memory", "pids")
"""Cgroup controllers without which a pod's limits would limit nothing."""
DISK_FREE_MIB = 1500
"""Cluster binary, container runtime and images."""


def _access(facts: HostFacts, host: Node | ModelStore) -> Iterator[Problem]:
    if not facts.reachable:
        yield Problem(
            where=host.name,
            found=facts.error or f"{host.address} does not answer",
            why="A site is set up only when all its hosts can be entered.",
            fix="Mend that, or take the host out of the site's file.",
        )


def _system(facts: HostFacts, node: Node) -> Iterator[Problem]:
    for present, thing, why in (
        (facts.apt, "apt", "Packages are installed with it."),
        (facts.systemd, "systemd", "The cluster runs as its units."),
    ):
        if not present:
            yield Problem(
                where=node.name, found=f"no {thing}", why=why, fix="Install Debian, Ubuntu or Raspberry Pi OS."
            )


def _architecture(facts: HostFacts, node: Node) -> Iterator[Problem]:
    known = get_args(Architecture)
    if facts.architecture not in known:
        yield Problem(
            where=node.name,
            found=f"architecture {facts.architecture}",
            why="There are no artifacts for it.",
            fix=f"Use a host with one of: {', '.join(known)}.",
        )
    elif node.architecture not in (None, facts.architecture):
        yield Problem(
            where=node.name,
            found=f"architecture {facts.architecture}, and {node.architecture} in the site's file",
            why="Programs for the wrong architecture do not start.",
            fix=f"Write architecture: {facts.architecture}, or leave it out.",
        )


def _size(facts: HostFacts, node: Node, distribution: str) -> Iterator[Problem]:
    memory = MEMORY_MIB[distribution, node.role]
    if facts.memory_mib < memory:
        yield Problem(
            where=node.name,
            found=f"{facts.memory_mib} MiB of memory",
            why=f"A {distribution} {node.role} needs {memory} MiB to start.",
            fix="Use a larger host.",
        )
    if (distribution, node.role) == ("kubeadm", "server") and facts.cpu_count < KUBEADM_SERVER_PROCESSORS:
        yield Problem(
            where=node.name,
            found=f"{facts.cpu_count} processor",
            why=f"kubeadm starts a control plane on {KUBEADM_SERVER_PROCESSORS} or more only.",
            fix="Use a larger host, or write distribution: k3s.",
        )
    if facts.disk_free_mib < DISK_FREE_MIB:
        yield Problem(
            where=node.name,
            found=f"{facts.disk_free_mib} MiB free under /var",
            why=f"Cluster and images need {DISK_FREE_MIB} MiB.",
            fix=f"Free some, for instance with: ssh {node.address} apt-get clean",
        )


def _clock(facts: HostFacts, node: Node) -> Iterator[Problem]:
    if abs(facts.clock_offset_seconds) > CLOCK_OFFSET_LIMIT_SECONDS:
        yield Problem(
            where=node.name,
            found=f"a clock {facts.clock_offset_seconds:+.0f} s from this machine's",
            why="Certificates made elsewhere would not be valid yet, or no longer.",
            fix=f"Set it: ssh {node.address} systemctl restart systemd-timesyncd",
        )


def _networks(facts: HostFacts, node: Node, kubernetes: Kubernetes) -> Iterator[Problem]:
    """Yield each network of the host that the cluster would take for its own."""
    wanted = {"pod-cidr": kubernetes.pod_cidr, "service-cidr": kubernetes.service_cidr}
    for there, (name, network) in product(facts.networks, wanted.items()):
        own = any(fnmatchcase(there.interface, pattern) for pattern in CLUSTER_INTERFACES)
        if not own and network.overlaps(IPv4Network(there.network)):
            yield Problem(
                where=node.name,
                found=f"network {there.network} on {there.interface}, which overlaps {name} {network}",
                why="Packets for one of the two would be sent to the other.",
                fix=f"Choose a kubernetes > {name} outside {there.network}.",
            )


def node_problems(facts: HostFacts, node: Node, kubernetes: Kubernetes) -> list[Problem]:
    """Return what keeps a host from becoming a node."""
    if problems := list(_access(facts, node)):
        return problems
    return [
        *_system(facts, node),
        *_architecture(facts, node),
        *_size(facts, node, kubernetes.distribution),
        *_clock(facts, node),
        *_networks(facts, node, kubernetes),
    ]


def store_problems(facts: HostFacts, store: ModelStore) -> list[Problem]:
    """Return what keeps models from being published to the store."""
    return list(_access(facts, store))


def summary(facts: HostFacts, name: str) -> str:
    """Return one line on a host that can be set up: what it is, and what would be changed that its facts show."""
    text = (
        f"{name}: {facts.os_name or 'Linux'}, {facts.architecture}, {facts.memory_mib} MiB of memory, "
        f"{facts.disk_free_mib} MiB free; nothing stands in the way"
    )
    missing = [controller for controller in CONTROLLERS if controller not in facts.controllers]
    changes = [*(["turn swap off"] if facts.swap else []), *([f"activate {', '.join(missing)}"] if missing else [])]
    return f"{text}. Before the packages: {' and '.join(changes)}" if changes else text

"""What hosts tell before anything is written: who cannot be part of the site, and in which words that is said."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.errors import Problem
from components.facts import node_problems
from components.load import site_from_data
from components.site import Site
from edgehost.client import HostFacts, HostNetwork
from tests.components.recording import record

ABLE = HostFacts(
    reachable=True,
    architecture="amd64",
    memory_mib=4096,
    disk_free_mib=20000,
    cpu_count=4,
    root=True,
    apt=True,
    systemd=True,
)


@pytest.fixture
def site(machine: Path, site_data: dict[str, Any]) -> Site:
    """Return the valid site."""
    return site_from_data(site_data, "Pulumi.test.yaml")


@pytest.fixture
def kubeadm_site(machine: Path, site_data: dict[str, Any]) -> Site:
    """Return the valid site, made by kubeadm."""
    site_data["kubernetes"] |= {"distribution": "kubeadm", "version": "v1.34.1"}
    return site_from_data(site_data, "Pulumi.test.yaml")


def problems(site: Site, name: str, **changes: Any) -> list[Problem]:
    """Return what is wrong with a host that differs so from an able one."""
    facts = HostFacts(**{**vars(ABLE), **changes})
    return node_problems(facts, next(node for node in site.nodes if node.name == name), site.kubernetes)


def test_nothing_is_wrong_with_an_able_host(site: Site, kubeadm_site: Site) -> None:
    assert problems(site, "cp1") == problems(kubeadm_site, "cp1") == []


def test_a_network_of_the_host_that_overlaps_the_pods(site: Site) -> None:
    networks = [
        HostNetwork(network="10.0.0.0/9", interface="tun0"),
        HostNetwork(network="192.0.2.0/24", interface="eth0"),
    ]
    said = [str(problem) for problem in problems(site, "edge1", networks=networks)]
    assert said == [
        "edge1\n"
        "    found: network 10.0.0.0/9 on tun0, which overlaps pod-cidr 10.42.0.0/16\n"
        "    why:   Packets for one of the two would be sent to the other.\n"
        "    fix:   Choose a kubernetes > pod-cidr outside 10.0.0.0/9.",
        "edge1\n"
        "    found: network 10.0.0.0/9 on tun0, which overlaps service-cidr 10.43.0.0/16\n"
        "    why:   Packets for one of the two would be sent to the other.\n"
        "    fix:   Choose a kubernetes > service-cidr outside 10.0.0.0/9.",
    ]


@pytest.mark.parametrize("interface", ["cni0", "flannel.1", "kube-ipvs0", "veth1a2b3c4d"])
def test_networks_of_a_running_cluster_are_its_own(site: Site, interface: str) -> None:
    networks = [HostNetwork(network="10.42.1.0/24", interface=interface)]
    assert problems(site, "edge1", networks=networks) == []
    assert problems(site, "edge1", networks=[HostNetwork(network="10.42.1.0/24", interface="eth1")])


def test_an_update_is_refused_and_a_preview_warns_of_a_network_that_overlaps(
    machine: Path, site_data: dict[str, Any]
) -> None:
    facts = {"edge1": {"networks": [{"network": "10.42.7.0/24", "interface": "wg0"}]}}
    words = "edge1\n    found: network 10.42.7.0/24 on wg0, which overlaps pod-cidr 10.42.0.0/16"
    with pytest.raises(pulumi.RunError) as refused:
        record(site_data, facts=facts)
    assert words in str(refused.value)
    assert [warning for warning in record(site_data, preview=True, facts=facts).warnings if words in warning]


def test_a_control_plane_of_kubeadm_needs_more_than_a_server_of_k3s(site: Site, kubeadm_site: Site) -> None:
    small = {"memory_mib": 1699, "cpu_count": 1}
    assert problems(site, "cp1", **small) == problems(kubeadm_site, "edge1", **small) == []
    memory, processors = problems(kubeadm_site, "cp1", **small)
    assert (memory.found, memory.why) == ("1699 MiB of memory", "A kubeadm server needs 1700 MiB to start.")
    assert (processors.found, processors.why) == (
        "1 processor",
        "kubeadm starts a control plane on 2 or more only.",
    )
    assert processors.fix == "Use a larger host, or write distribution: k3s."
    assert problems(kubeadm_site, "cp1", memory_mib=1700, cpu_count=2) == []

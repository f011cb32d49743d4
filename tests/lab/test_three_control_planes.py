"""Three control planes on real hosts: upgraded one after the other, one may be lost, and two may leave.

The tests build on each other in the order of this file, as the life of a site does.
"""

import json
from collections.abc import Iterator

import pytest

from edgehost.forgetting import FORGET_VARIABLE
from tests.lab import promises
from tests.lab.site_under_test import SiteUnderTest
from tests.lab.versions import LATER, ask_for, bare_earlier_site, kubelets

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1800)]

ETCD = "/etc/kubernetes/pki/etcd"
SERVERS = ("cp1", "cp2", "cp3")
NODES = {*SERVERS, "edge1"}


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """Return a site of five hosts that have just booted for the first time; take them down afterwards."""
    folder = tmp_path_factory.mktemp("three")
    with bare_earlier_site("kubevc-three", "10.99.80.", folder, like="edge-lab-three") as site:
        yield site


def members(site: SiteUnderTest, server: str = "cp1") -> set[str]:
    """Return the hosts that a server's etcd counts."""
    client = f"--cacert {ETCD}/ca.crt --cert {ETCD}/healthcheck-client.crt --key {ETCD}/healthcheck-client.key"
    listed = site.on(server, f"curl -s {client} -d '{{}}' https://127.0.0.1:2379/v3/cluster/member/list")
    return {member["name"] for member in json.loads(listed)["members"]}


def test_all_servers_are_ready_and_hold_a_copy_of_etcd(site: SiteUnderTest) -> None:
    promises.the_picture_is_answered(site)
    promises.nodes_are_ready(site, NODES)
    assert members(site) == set(SERVERS)


def test_a_second_up_changes_nothing_and_writes_on_no_host(site: SiteUnderTest) -> None:
    promises.a_second_up_writes_nothing(site)


def test_no_lent_certificate_is_left(site: SiteUnderTest) -> None:
    secrets = site.kubectl("get secrets -n kube-system -o name")
    assert "kubeadm-certs" not in secrets
    assert "bootstrap-token" not in secrets


def test_servers_are_upgraded_one_after_the_other_and_the_agent_last(site: SiteUnderTest) -> None:
    ask_for(site, LATER)
    site.clear_journal()
    site.up()
    assert kubelets(site) == dict.fromkeys(NODES, LATER)
    assert members(site) == set(SERVERS)
    begun = [(write["step"], write["host"]) for write in site.writes() if "kubeadm-upgrade" in str(write["step"])]
    assert begun[0] == ("kubeadm-upgrade-apply", "cp1")
    assert sorted(begun[1:3]) == [("kubeadm-upgrade-node", "cp2"), ("kubeadm-upgrade-node", "cp3")]
    assert begun[3:] == [("kubeadm-upgrade-node", "edge1")]
    for server in SERVERS:
        manifest = site.on(server, "cat /etc/kubernetes/manifests/kube-apiserver.yaml")
        assert f"registry.k8s.io/kube-apiserver:{LATER}" in manifest
    promises.a_second_up_writes_nothing(site)


def test_the_site_answers_while_a_server_is_gone(site: SiteUnderTest) -> None:
    site.lab("exec", "cp3", "--", "systemctl stop kubelet; pkill -9 etcd; pkill -9 kube-apiserver", status=None)
    assert "ok" in site.kubectl("get --raw /readyz")
    site.up()
    promises.nodes_are_ready(site, NODES)


def test_a_server_that_was_installed_anew_joins_again(site: SiteUnderTest, bare_inventory: dict[str, set[str]]) -> None:
    site.lab("pristine", "cp3")
    bare_inventory["cp3"] = site.inventory("cp3")
    site.up()
    assert members(site) == set(SERVERS)
    promises.nodes_are_ready(site, NODES)


def test_servers_that_leave_are_counted_no_more_and_may_come_back(site: SiteUnderTest) -> None:
    settings = site.settings()
    # Two are no size for a control plane, so that two leave at once, one after the other.
    fewer = [node for node in settings["nodes"] if node["name"] not in ("cp2", "cp3")]
    site.set_settings({**settings, "nodes": fewer})
    site.up()
    assert members(site) == {"cp1"}
    promises.nodes_are_ready(site, {"cp1", "edge1"})
    site.set_settings(settings)
    site.up()
    assert members(site) == set(SERVERS)


def test_a_first_server_that_was_installed_anew_does_not_end_the_cluster_of_the_others(
    site: SiteUnderTest, bare_inventory: dict[str, set[str]]
) -> None:
    site.lab("pristine", "cp1")
    bare_inventory["cp1"] = site.inventory("cp1")
    said = site.update("up", "--yes", "--skip-preview", status=None).said
    assert "cp1 (10.99.80.11): control plane: there is no cluster on this host any more, and cp2 (10.99.80.13)" in said
    assert members(site, "cp2") == set(SERVERS)


def test_destroy_leaves_the_hosts_as_they_were_though_the_first_server_is_lost(
    site: SiteUnderTest, bare_inventory: dict[str, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FORGET_VARIABLE, "1")
    monkeypatch.setenv("PULUMI_K8S_DELETE_UNREACHABLE", "true")
    site.destroy()
    promises.hosts_are_as_they_were(site, bare_inventory)

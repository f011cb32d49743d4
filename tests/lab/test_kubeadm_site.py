"""The life of a kubeadm site on real hosts: the promises of every site, and what kubeadm alone has.

The tests build on each other in the order of this file, as the life of a site does.
"""

import re
from collections.abc import Iterator

import pytest

from tests.lab import promises
from tests.lab.site_under_test import SiteUnderTest

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

ADMINISTRATOR = "/etc/kubernetes/admin.conf"
TOKEN = re.compile(r"\b[a-z0-9]{6}\.[a-z0-9]{16}\b")
KUBECTL = f"KUBECONFIG={ADMINISTRATOR} kubectl --cache-dir=/tmp/kubectl"
CTR = "ctr --address /run/kubevc-containerd/containerd.sock -n k8s.io"


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """Return a kubeadm site whose hosts have just booted for the first time; take the hosts down afterwards."""
    site = SiteUnderTest(
        "kubevc-adm", "10.99.79.", tmp_path_factory.mktemp("kubeadm"), like="edge-lab-kubeadm", kubeconfig=ADMINISTRATOR
    )
    with site.bare_hosts():
        yield site


def test_up_ends_with_an_answered_picture(site: SiteUnderTest) -> None:
    promises.the_picture_is_answered(site)
    promises.nodes_are_ready(site, {"cp1", "edge1"})


def test_a_second_up_changes_nothing_and_writes_on_no_host(site: SiteUnderTest) -> None:
    promises.a_second_up_writes_nothing(site)


def test_the_kubeconfig_is_secret(site: SiteUnderTest) -> None:
    promises.the_kubeconfig_is_secret(site)


def test_no_join_token_is_left_anywhere(site: SiteUnderTest) -> None:
    assert "bootstrap-token" not in site.kubectl("get secrets -n kube-system -o name")
    look = "find /etc/kubernetes /var/lib/kubelet /run/kubevc* -xdev -type f -exec cat {} + 2>/dev/null; ps -eo args"
    for host in ("cp1", "edge1"):
        assert not TOKEN.findall(site.on(host, f"{look}; journalctl --no-pager -o cat; env")), host
    assert not TOKEN.findall(site.pulumi("stack export").said)


def test_the_model_servers_are_reachable_from_the_proxy_alone(site: SiteUnderTest) -> None:
    promises.model_servers_are_for_the_proxy_alone(site)


EDITS = {
    "edited by hand": ("edge1", "echo '# edited by hand' >> /etc/kubernetes/kubelet.conf.d/50-site.conf"),
    "kubelet.service is not running": ("edge1", "systemctl stop kubelet"),
    "no manifest of kube-scheduler": ("cp1", "rm /etc/kubernetes/manifests/kube-scheduler.yaml"),
    "image-flannel": ("edge1", f"{CTR} images rm ghcr.io/flannel-io/flannel:v0.28.4"),
    "no daemonset.apps/kube-proxy": ("cp1", f"{KUBECTL} -n kube-system delete daemonset kube-proxy"),
    "node cp1 is cordoned": ("cp1", f"{KUBECTL} cordon cp1"),
    "days left: apiserver": (
        "cp1",
        "printf 'apiVersion: kubeadm.k8s.io/v1beta4\\nkind: ClusterConfiguration\\nkubernetesVersion: v1.34.1\\n"
        "certificateValidityPeriod: 240h0m0s\\n' | kubeadm certs renew apiserver --config /dev/stdin",
    ),
}


def test_edits_by_hand_show_by_name_and_are_repaired(site: SiteUnderTest) -> None:
    promises.edits_show_and_are_repaired(site, EDITS)


def test_a_cluster_whose_administrators_access_was_removed_is_kept(site: SiteUnderTest) -> None:
    identity = "get namespace kube-system -o jsonpath={.metadata.uid}"
    before = site.kubectl(identity)
    site.on("cp1", f"rm {ADMINISTRATOR}")
    assert "missing: admin.conf" in site.preview().said
    site.up()
    assert site.kubectl(identity) == before
    promises.a_second_up_writes_nothing(site)


def test_a_node_that_was_deleted_joins_again(site: SiteUnderTest) -> None:
    site.kubectl("delete node edge1")
    assert "node edge1 is not in the cluster" in site.preview(status=None).said
    site.up()
    promises.nodes_are_ready(site, {"cp1", "edge1"})
    promises.the_picture_is_answered(site)


def test_destroy_leaves_the_hosts_as_they_were(site: SiteUnderTest, bare_inventory: dict[str, set[str]]) -> None:
    site.destroy()
    promises.hosts_are_as_they_were(site, bare_inventory)

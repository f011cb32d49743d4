"""What joining a cluster leaves on a host and in memory. Real clusters are in tests/lab."""

import dataclasses

import pytest
import yaml

from edgehost.address import HostAddress
from edgehost.distributions.k3s import K3s
from edgehost.distributions.kubeadm import Kubeadm, join_configuration
from edgehost.distributions.protocol import JoinToken, Membership
from edgehost.errors import CommandFailed, NotReady
from edgehost.host import Host
from edgehost.node import label_changes
from edgehost.resources.cluster_access import (
    SERVER,
    ClusterAccess,
    ClusterAccessInputs,
    check_distribution,
    check_networks,
)
from edgehost.resources.cluster_member import ClusterMember, ClusterMemberInputs
from tests.edgehost.disposable_host import DisposableHost

PIN = "K10" + "ab" * 32
SECRET = "abcdef.0123456789abcdef"
TOKEN = JoinToken("abcdef", f"{PIN}::used00.0000000000000000", f"{PIN}::{SECRET}")
FILE = "/etc/rancher/k3s/token"
MEMBER = Membership(node_name="edge1", unit_name="k3s-agent.service", token_file=FILE)


def test_a_token_shows_itself_nowhere() -> None:
    assert "0123456789abcdef" not in f"{TOKEN} {TOKEN!r} {[TOKEN]}"


async def test_a_token_lies_in_memory_and_only_a_spent_one_stays(host: Host, machine: DisposableHost) -> None:
    k3s = K3s()
    await host.change("token-place", TOKEN=TOKEN.secret, TOKEN_ID=TOKEN.token_id, TOKEN_FILE=FILE)
    assert machine.run(f"cat {FILE}") == TOKEN.secret + "\n"
    assert machine.run(f"stat -L -c '%a %U' {FILE}; stat -f -c %T $(readlink {FILE})") == "600 root\ntmpfs\n"
    assert machine.run("stat -c %a /run/kubevc") == "700\n"
    await k3s.wipe(host, TOKEN, MEMBER)
    assert machine.run(f"cat {FILE}; stat -c '%a %F' {FILE}") == f"{PIN}::used00.0000000000000000\n600 regular file\n"
    assert machine.run("ls -d /run/kubevc 2>/dev/null || true") == ""
    assert machine.run(f"grep -rl {SECRET} /etc /run /var/lib/edgehost || true") == ""
    assert not any("0123456789abcdef" in call for call in machine.calls)


async def test_an_answer_that_is_no_token_is_refused(host: Host, machine: DisposableHost) -> None:
    machine.write("/usr/local/bin/k3s", "#!/bin/sh\necho K10abc::server:old-style\n")
    machine.run("chmod 755 /usr/local/bin/k3s")
    with pytest.raises(CommandFailed) as refusal:
        await K3s().mint(host, MEMBER)
    assert "did not print a token with the cluster's CA in it" in str(refusal.value)
    assert "old-style" not in str(refusal.value)


@pytest.mark.parametrize(
    ("old", "wanted", "found", "changes"),
    [
        ({}, {"a": "1"}, {}, {"a": "1"}),
        ({}, {"a": "1"}, {"a": "1", "theirs": "x"}, {}),
        ({"a": "1"}, {"a": "2"}, {"a": "1"}, {"a": "2"}),
        ({"a": "1"}, {}, {"a": "1", "theirs": "x"}, {"a": None}),
        ({"a": "1"}, {}, {}, {}),
    ],
)
def test_labels_that_we_never_set_are_left_alone(
    old: dict[str, str], wanted: dict[str, str], found: dict[str, str], changes: dict[str, str | None]
) -> None:
    assert label_changes(old, wanted, found) == changes


def test_the_kubeconfig_names_the_host() -> None:
    text = "clusters:\n- cluster:\n    server: https://127.0.0.1:6443\n  name: default\n"
    assert SERVER.sub(r"\g<1>10.99.0.11\g<2>", text) == text.replace("127.0.0.1", "10.99.0.11")


def test_an_unknown_distribution_is_refused() -> None:
    assert "Use one of k3s, kubeadm" in str(check_distribution("k0s")[0])


def test_another_network_than_the_cluster_was_begun_with_is_refused() -> None:
    problems = check_networks({"pods": "10.42.0.0/16", "services": "10.43.0.0/16"}, {"pods": "10.44.0.0/16"})
    assert [str(problem) for problem in problems] == [
        "networks: 10.44.0.0/16 for pods, and the cluster was begun with 10.42.0.0/16. Every node and pod has its "
        "address from the network that the cluster was begun with. Write 10.42.0.0/16 again; for another one, destroy "
        "this site first."
    ]


async def test_who_brings_the_network_gets_in_before_the_node_is_ready(host: Host, machine: DisposableHost) -> None:
    machine.write("/etc/kubernetes/admin.conf", "    server: https://cp1.local:6443\n")
    answer = 'case "$*" in *readyz*) printf ok ;; *) printf "uid 7\\nready False\\nversion v1.34.1\\n" ;; esac'
    machine.write("/usr/local/bin/kubectl", f"#!/bin/sh\n{answer}\n")
    machine.run("chmod +x /usr/local/bin/kubectl")
    waiting = ClusterAccessInputs(
        host=host.address, node_name="cp1", unit_name="kubelet.service", distribution="kubeadm", ready_timeout_seconds=1
    )
    state = await ClusterAccess().create(host, dataclasses.replace(waiting, awaits_node=False))
    assert (state.version, state.kubeconfig) == ("v1.34.1", f"    server: https://{host.address.address}:6443\n")
    with pytest.raises(NotReady, match="the cluster's API and first node were not ready within 1 s"):
        await ClusterAccess().create(host, waiting)


def test_a_membership_that_was_begun_can_be_undone() -> None:
    address = HostAddress(name="edge1", address="10.0.0.2")
    inputs = ClusterMemberInputs(
        host=address, server=address, node_name="edge1", unit_name="k3s-agent.service", token_file=FILE
    )
    begun = ClusterMember().begun(inputs)
    assert dataclasses.asdict(begun) == {**dataclasses.asdict(inputs), "node_uid": ""}


JOINING = Membership(
    node_name="cp2",
    unit_name="kubelet.service",
    version="v1.34.1",
    settings="kind: JoinConfiguration\ncontrolPlane: {localAPIEndpoint: {advertiseAddress: 10.0.0.2}}\n",
    server_url="https://10.0.0.1:6443",
    control_plane=True,
)


def test_kubeadm_is_told_the_secrets_of_one_join_beside_its_settings() -> None:
    token = JoinToken("abcdef", "sha256:" + "ab" * 32, SECRET, "cd" * 32)
    assert yaml.safe_load(join_configuration(JOINING, token)) == {
        "kind": "JoinConfiguration",
        "discovery": {
            "bootstrapToken": {
                "apiServerEndpoint": "10.0.0.1:6443",
                "token": SECRET,
                "caCertHashes": ["sha256:" + "ab" * 32],
            }
        },
        "controlPlane": {"localAPIEndpoint": {"advertiseAddress": "10.0.0.2"}, "certificateKey": "cd" * 32},
    }


def test_an_agent_gets_no_certificate_key() -> None:
    member = dataclasses.replace(JOINING, control_plane=False, settings="kind: JoinConfiguration\n")
    assert "controlPlane" not in join_configuration(member, JoinToken("abcdef", "sha256:", SECRET))


def test_kubeadm_without_settings_is_refused() -> None:
    assert "there are no `settings` or no `version`" in str(Kubeadm().check(MEMBER)[0])


async def test_an_answer_of_kubeadm_that_is_no_token_is_refused(host: Host, machine: DisposableHost) -> None:
    machine.write("/usr/local/bin/kubeadm", "#!/bin/sh\necho kubeadm join 10.0.0.1:6443 --token old-style\n")
    machine.run("chmod 755 /usr/local/bin/kubeadm")
    with pytest.raises(CommandFailed) as refusal:
        await Kubeadm().mint(host, JOINING)
    assert "did not print a token and the hash of the cluster's CA" in str(refusal.value)
    assert "old-style" not in str(refusal.value)


MEMBERS = (
    '{"header":{"cluster_id":"1"},"members":[{"ID":"11","name":"cp1","peerURLs":["https://192.0.2.11:2380"]},'
    '{"ID":"13","name":"cp3","peerURLs":["https://192.0.2.13:2380"]},{"ID":"14","name":"cp33"},{"ID":"15"}]}'
)


def etcd(machine: DisposableHost) -> None:
    """Have the host's etcd answer with its members and note what it shall remove."""
    answer = f'case "$*" in *member/list*) echo \'{MEMBERS}\' ;; *) echo "$*" >> /var/tmp/asked ;; esac'
    machine.write("/usr/local/bin/curl", f"#!/bin/sh\n{answer}\n")
    machine.run("chmod +x /usr/local/bin/curl")


@pytest.mark.parametrize(("name", "removed"), [("cp3", ['{"ID":"13"}']), ("cp4", [])])
async def test_etcd_counts_no_earlier_host_of_a_name(
    host: Host, machine: DisposableHost, name: str, removed: list[str]
) -> None:
    etcd(machine)
    await Kubeadm().forget_node(host, Membership(node_name=name, unit_name="kubelet.service", control_plane=True))
    asked = machine.run("cat /var/tmp/asked 2>/dev/null || true").splitlines()
    assert [line.split(" -d ")[1].split()[0] for line in asked] == removed


async def test_of_an_agent_etcd_is_not_asked(host: Host, machine: DisposableHost) -> None:
    machine.run("rm -f /usr/local/bin/curl")
    await Kubeadm().forget_node(host, Membership(node_name="edge1", unit_name="kubelet.service"))


def version_problems(running: str, wanted: str, *, control_plane: bool) -> list[str]:
    """Return what is found wrong with a node of one version that shall have another."""
    server = HostAddress(name="cp1", address="192.0.2.11")
    inputs = ClusterMemberInputs(
        host=server, server=server, node_name="n", unit_name="u", version=wanted, control_plane=control_plane
    )
    state = dataclasses.replace(ClusterMember().begun(inputs), version=running)
    return [str(problem) for problem in ClusterMember().check_change(state, inputs)]


def test_a_node_that_missed_upgrades_may_skip_versions_and_a_control_plane_may_not() -> None:
    assert version_problems("v1.32.9", "v1.34.1", control_plane=False) == []
    (problem,) = version_problems("v1.32.9", "v1.34.1", control_plane=True)
    assert "Go through a v1.33 release first." in problem


def test_a_node_too_far_from_its_cluster_is_told_apart_from_an_upgrade() -> None:
    (older,) = version_problems("v1.30.1", "v1.34.1", control_plane=False)
    assert older.startswith("version: a kubelet of v1.30.1 beside an API server of v1.34.1")
    assert "put it back: it joins with the new version" in older
    (newer,) = version_problems("v1.35.0", "v1.34.1", control_plane=False)
    assert "Upgrade the control plane to v1.35 before the node." in newer

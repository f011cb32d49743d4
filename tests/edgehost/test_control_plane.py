"""What a control plane's report says, and which changes of it are refused. Real control planes are in tests/lab."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml

from edgehost.address import HostAddress
from edgehost.distributions.kubeadm import upgrade_configuration
from edgehost.errors import CommandFailed
from edgehost.host import Host
from edgehost.node import Node, read_node, steadily
from edgehost.report import Report
from edgehost.resources import control_plane
from edgehost.resources.control_plane import ADDONS, COMPLETE, VALID, ControlPlane, ControlPlaneInputs, expiring
from tests.edgehost.disposable_host import DisposableHost

ADMIN = "/etc/kubernetes/admin.conf"
MANIFESTS = "/etc/kubernetes/manifests"
WANTED = ControlPlaneInputs(
    host=HostAddress(name="cp1", address="10.0.0.1"),
    node_name="cp1",
    unit_name="kubelet.service",
    version="v1.34.1",
    settings="kind: ClusterConfiguration\n",
)


def report(days_left: dict[str, float]) -> Report:
    ends = {name: (datetime.now(UTC) + timedelta(days=days)).isoformat() for name, days in days_left.items()}
    entries = [{"name": name, "expirationDate": end, "missing": False} for name, end in ends.items()]
    return Report.parse(f"certificates {json.dumps({'certificates': entries})}")


@pytest.mark.parametrize(
    ("days_left", "said"),
    [
        ({"apiserver": 364, "admin.conf": 31}, VALID),
        ({"apiserver": 364, "admin.conf": 12.4, "etcd-server": 20}, "12 days left: admin.conf, etcd-server"),
        ({"apiserver": -0.5, "admin.conf": 90}, "expired: apiserver"),
    ],
)
def test_certificates_show_when_less_than_thirty_days_are_left(days_left: dict[str, float], said: str) -> None:
    assert expiring(report(days_left)) == said


def test_a_certificate_that_is_gone_shows_by_name() -> None:
    gone = {"name": "apiserver", "expirationDate": None, "missing": True}
    assert expiring(Report.parse(f"certificates {json.dumps({'certificates': [gone]})}")) == "missing: apiserver"


def test_a_server_that_joined_lacks_no_certificate_of_the_first() -> None:
    there = {"name": "apiserver", "expirationDate": "2999-01-01T00:00:00Z", "missing": False}
    never_made = {"name": "super-admin.conf", "expirationDate": None, "missing": True}
    said = json.dumps({"certificates": [there, never_made]})
    assert expiring(Report.parse(f"certificates {said}")) == VALID


def test_certificates_that_cannot_be_read_are_not_called_valid() -> None:
    assert expiring(Report.parse("certificates ")) == "cannot be read"


async def test_a_host_without_a_cluster_has_no_control_plane(host: Host) -> None:
    wanted = ControlPlane().begun(dataclasses.replace(WANTED, host=host.address))
    assert await ControlPlane().read(host, wanted) is None


async def test_a_manifest_that_is_gone_shows_by_name(host: Host, machine: DisposableHost) -> None:
    machine.write(ADMIN, "")
    for part in ("etcd", "kube-apiserver", "kube-controller-manager"):
        machine.write(f"{MANIFESTS}/{part}.yaml", f"    image: registry.k8s.io/{part}:v1.33.9\n")
    found = await ControlPlane().read(host, ControlPlane().begun(dataclasses.replace(WANTED, host=host.address)))
    assert found is not None
    assert (found.version, found.parts) == ("v1.33.9", "no manifest of kube-scheduler")


async def test_objects_of_kubeadm_that_are_gone_show_by_name(host: Host, machine: DisposableHost) -> None:
    machine.write(ADMIN, "")
    there = "\\n".join(name for name in ADDONS if name not in ("daemonset.apps/kube-proxy", "service/kube-dns"))
    machine.write("/usr/local/bin/kubectl", f"#!/bin/sh\nprintf '{there}\\n'\n")
    machine.run("chmod +x /usr/local/bin/kubectl")
    wanted = ControlPlane().begun(dataclasses.replace(WANTED, host=host.address))
    found = await ControlPlane().read(host, wanted)
    assert found is not None
    assert found.addons == "no daemonset.apps/kube-proxy, service/kube-dns"
    joined = await ControlPlane().read(host, dataclasses.replace(wanted, starts_cluster=False))
    assert joined is not None
    assert joined.addons == COMPLETE


async def test_an_api_that_does_not_answer_says_nothing_of_its_objects(host: Host, machine: DisposableHost) -> None:
    machine.write(ADMIN, "")
    machine.write("/usr/local/bin/kubectl", "#!/bin/sh\nexit 1\n")
    machine.run("chmod +x /usr/local/bin/kubectl")
    found = await ControlPlane().read(host, ControlPlane().begun(dataclasses.replace(WANTED, host=host.address)))
    assert found is not None
    assert found.addons == COMPLETE


async def test_without_the_administrators_access_it_is_a_control_plane_nevertheless(
    host: Host, machine: DisposableHost
) -> None:
    machine.write("/var/lib/edgehost/kubeadm/made", "")
    wanted = ControlPlane().begun(dataclasses.replace(WANTED, host=host.address))
    assert await ControlPlane().read(host, wanted) is None
    machine.write("/etc/kubernetes/pki/ca.key", "")
    machine.write("/etc/kubernetes/manifests/etcd.yaml", "")
    gone = json.dumps({"certificates": [{"name": "admin.conf", "expirationDate": None, "missing": True}]})
    machine.write("/usr/local/bin/kubeadm", f"#!/bin/sh\nprintf '%s' '{gone}'\n")
    machine.run("chmod +x /usr/local/bin/kubeadm")
    found = await ControlPlane().read(host, wanted)
    assert found is not None
    assert found.certificates == "missing: admin.conf"
    await ControlPlane().create(host, dataclasses.replace(WANTED, host=host.address))
    assert machine.run("ls /etc/kubernetes/manifests") == "etcd.yaml\n"


async def test_a_cluster_that_lost_its_keys_is_not_thrown_away(host: Host, machine: DisposableHost) -> None:
    machine.write("/var/lib/edgehost/kubeadm/made", "")
    machine.write("/var/lib/edgehost/kubeadm/begun", "")
    machine.write("/var/lib/etcd/member/snap/db", "theirs")
    with pytest.raises(CommandFailed, match=r"/etc/kubernetes/pki/ca\.key is gone, by which the cluster knows its own"):
        await ControlPlane().create(host, dataclasses.replace(WANTED, host=host.address))
    assert machine.run("cat /var/lib/etcd/member/snap/db") == "theirs"


async def test_no_key_of_the_cluster_is_made_anew_in_a_repair(host: Host, machine: DisposableHost) -> None:
    machine.write("/usr/local/bin/kubeadm", '#!/bin/sh\necho "$*" >> /var/tmp/asked\n')
    machine.run("chmod +x /usr/local/bin/kubeadm")
    for name in (
        "ca.crt",
        "ca.key",
        "etcd/ca.crt",
        "etcd/ca.key",
        "front-proxy-ca.crt",
        "front-proxy-ca.key",
        "sa.pub",
    ):
        machine.write(f"/etc/kubernetes/pki/{name}", "")
    wanted = dataclasses.replace(WANTED, host=host.address)
    found = dataclasses.replace(ControlPlane().begun(wanted), certificates="missing: apiserver")
    with pytest.raises(CommandFailed, match=r"/etc/kubernetes/pki/sa\.key is gone"):
        await ControlPlane().update(host, found, wanted)
    assert machine.run("cat /var/tmp/asked 2>/dev/null || true") == ""


async def test_no_cluster_begins_while_another_server_has_one(
    host: Host, machine: DisposableHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = HostAddress(name="cp2", address=host.address.address)
    asked: list[str] = []

    async def has_cluster(asked_host: Host, _: ControlPlaneInputs) -> bool:
        asked.append(asked_host.address.name)
        return asked_host.address == other

    monkeypatch.setattr(control_plane, "_has_cluster", has_cluster)
    wanted = dataclasses.replace(WANTED, host=host.address, others=[other])
    with pytest.raises(CommandFailed) as refusal:
        await ControlPlane().create(host, wanted)
    assert str(refusal.value).startswith(
        f"{host.address}: control plane: there is no cluster on this host any more, and {other} still has it. "
    )
    assert "EDGEHOST_FORGET_UNREACHABLE=1 make down" in str(refusal.value)
    assert asked == ["cp2", host.address.name]
    assert machine.run("ls -d /var/lib/edgehost 2>/dev/null || true") == ""


async def test_an_upgrade_that_broke_off_shows_as_the_version_before(host: Host, machine: DisposableHost) -> None:
    machine.write(ADMIN, "")
    machine.write(f"{MANIFESTS}/kube-apiserver.yaml", "    image: registry.k8s.io/kube-apiserver:v1.34.1\n")
    machine.write("/var/lib/edgehost/kubeadm/upgrading", "v1.33.9 v1.34.1")
    found = await ControlPlane().read(host, ControlPlane().begun(dataclasses.replace(WANTED, host=host.address)))
    assert found is not None
    assert (found.version, found.parts) == ("v1.33.9", "partly upgraded to v1.34.1")
    assert ControlPlane().check_change(found, WANTED) == []
    (refused,) = ControlPlane().check_change(found, dataclasses.replace(WANTED, version="v1.33.9"))
    assert str(refused) == (
        "version: v1.33.9, and an upgrade from it to v1.34.1 broke off. Parts of the control plane may run the new "
        "version already and have stored what the old one cannot read. Write v1.34.1 again: the next run begins the "
        "upgrade anew."
    )


def test_a_node_is_ready_when_pods_come_to_it() -> None:
    ready = Node(kubeconfig=True, api=True, uid="7", ready=True)
    assert ready.status("edge1") == "Ready"
    cordoned = dataclasses.replace(ready, cordoned=True)
    assert cordoned.status("edge1") == "node edge1 is cordoned: no new pods come to it"
    assert Node(kubeconfig=True).status("edge1") == "the API does not answer"
    assert Node().status("edge1") == "the server has no kubeconfig"


async def test_an_api_that_ends_between_two_questions_does_not_answer(host: Host, machine: DisposableHost) -> None:
    machine.write(ADMIN, "")
    answer = 'case "$*" in *readyz*) printf ok ;; *) echo "connection refused" >&2; exit 1 ;; esac'
    machine.write("/usr/local/bin/kubectl", f"#!/bin/sh\n{answer}\n")
    machine.run("chmod +x /usr/local/bin/kubectl")
    assert await read_node(host, "cp1", ADMIN) == Node(kubeconfig=True)
    machine.write("/usr/local/bin/kubectl", '#!/bin/sh\ncase "$*" in *readyz*) printf ok ;; *) echo uid 7 ;; esac\n')
    assert await read_node(host, "cp1", ADMIN) == Node(kubeconfig=True, api=True, uid="7")


def test_a_node_that_was_ready_for_a_moment_is_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    now = iter([100.0, 119.0, 121.0, 122.0, 141.9, 142.0])
    monkeypatch.setattr("edgehost.node.time.monotonic", lambda: next(now))
    settled = steadily(lambda node: node.ready, 20)
    looks = [True, True, False, True, True, True]
    assert [settled(Node(ready=ready)) for ready in looks] == [False, False, False, False, False, True]


@pytest.mark.parametrize(
    ("settings", "policy"),
    [
        ("kind: JoinConfiguration\nnodeRegistration: {imagePullPolicy: Never}\n", "Never"),
        (
            "kind: InitConfiguration\nnodeRegistration: {imagePullPolicy: Never}\n---\nkind: ClusterConfiguration\n",
            "Never",
        ),
        ("kind: ClusterConfiguration\n", "IfNotPresent"),
    ],
)
def test_an_upgrade_pulls_images_as_the_start_did(settings: str, policy: str) -> None:
    told = yaml.safe_load(upgrade_configuration(settings, "v1.34.1"))
    assert (told["apply"]["kubernetesVersion"], told["apply"]["imagePullPolicy"]) == ("v1.34.1", policy)
    assert told["node"] == {"imagePullPolicy": policy}


@pytest.mark.parametrize(
    ("version", "said"),
    [("v1.33.9", "older than v1.34.1, which the cluster runs"), ("v1.36.0", "Go through a v1.35 release first")],
)
def test_a_step_that_no_cluster_survives_is_refused(version: str, said: str) -> None:
    problems = ControlPlane().check_change(ControlPlane().begun(WANTED), dataclasses.replace(WANTED, version=version))
    assert said in str(problems[0])


async def test_a_cluster_of_somebody_else_is_not_touched(host: Host, machine: DisposableHost) -> None:
    machine.write("/etc/kubernetes/pki/ca.crt", "theirs")
    with pytest.raises(Exception, match="has the files of a cluster that this program did not make"):
        await ControlPlane().create(host, dataclasses.replace(WANTED, host=host.address))
    assert machine.run("cat /etc/kubernetes/pki/ca.crt") == "theirs"

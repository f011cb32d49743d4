"""Letting go of nodes that no longer work. Real ones are in tests/lab."""

import pytest

from edgehost.address import HostAddress
from edgehost.errors import NotReady, Unreachable
from edgehost.forgetting import FORGET_VARIABLE
from edgehost.host import Host
from edgehost.resources import node_release
from edgehost.resources.node_release import NodeRelease, NodeReleaseInputs
from tests.edgehost.conftest import SilentLog
from tests.edgehost.disposable_host import DisposableHost

NOWHERE = HostAddress(name="edge1", address="127.0.0.2")
KUBECTL = """#!/bin/sh
echo "$*" >> /var/tmp/asked
case "$*" in
  *readyz*) printf ok ;;
  *jsonpath*) printf 'uid 7\\nready %s\\nlabels {}\\nversion v1.34.1\\ncordoned \\n' "$(cat /var/tmp/ready)" ;;
  *"get node"*) echo node/edge1 ;;
esac
"""


def cluster(machine: DisposableHost, *, ready: str) -> None:
    """Make the host a server whose kubectl notes what it is asked."""
    machine.write("/etc/kubernetes/admin.conf", "")
    machine.write("/var/tmp/ready", ready)
    machine.write("/usr/local/bin/kubectl", KUBECTL)
    machine.run("chmod +x /usr/local/bin/kubectl")


def deletions(machine: DisposableHost) -> list[str]:
    """Return what kubectl was asked to delete."""
    words = [line.split() for line in machine.run("cat /var/tmp/asked 2>/dev/null || true").splitlines()]
    return [" ".join(line[line.index("delete") + 1 :]) for line in words if "delete" in line]


def release(host: HostAddress, server: HostAddress) -> NodeReleaseInputs:
    return NodeReleaseInputs(host=host, server=server, node_name="edge1", distribution="kubeadm")


async def test_a_node_that_works_is_left_alone(host: Host, machine: DisposableHost) -> None:
    cluster(machine, ready="True")
    await NodeRelease().delete(host, release(host.address, host.address))
    assert deletions(machine) == []


async def test_a_node_that_does_not_work_goes_with_its_pods(
    host: Host, machine: DisposableHost, log: SilentLog
) -> None:
    cluster(machine, ready="Unknown")
    await NodeRelease().delete(host, release(host.address, host.address))
    node, pods = deletions(machine)
    assert node.startswith("node edge1 ")
    assert pods.startswith("pods --all-namespaces --field-selector spec.nodeName=edge1 --force ")
    assert any("node edge1 is not Ready; its pods are waited for no longer" in line for line in log.lines)


async def test_a_host_that_does_not_answer_is_an_error_and_its_node_stays(host: Host, machine: DisposableHost) -> None:
    cluster(machine, ready="Unknown")
    with pytest.raises(Unreachable, match=r"^edge1 \(127.0.0.2\)"):
        await NodeRelease().delete(host.peer(NOWHERE), release(NOWHERE, host.address))
    assert deletions(machine) == []


async def test_without_the_api_nothing_is_deleted_and_one_node_says_so(
    host: Host, machine: DisposableHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node_release, "API_SECONDS", 0.1)
    machine.run("rm -rf /etc/kubernetes")
    agent = release(HostAddress(name="edge2", address=host.address.address), host.address)
    await NodeRelease().delete(host, agent)
    with pytest.raises(NotReady, match="PULUMI_K8S_DELETE_UNREACHABLE=true pulumi destroy") as refusal:
        await NodeRelease().delete(host, release(host.address, host.address))
    assert str(refusal.value).startswith(f"{host.address}: API: it did not answer within")
    monkeypatch.setenv(FORGET_VARIABLE, "1")
    await NodeRelease().delete(host, release(host.address, host.address))


async def test_an_agent_says_nothing_of_a_server_that_does_not_answer(host: Host) -> None:
    server = HostAddress(name="cp1", address="127.0.0.2")
    await NodeRelease().delete(host, release(host.address, server))


async def test_a_host_that_shall_be_forgotten_leaves_no_node(
    host: Host, machine: DisposableHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FORGET_VARIABLE, "1")
    cluster(machine, ready="True")
    with pytest.raises(Unreachable):
        await NodeRelease().delete(host.peer(NOWHERE), release(NOWHERE, host.address))
    assert [deletion.split()[0] for deletion in deletions(machine)] == ["node", "pods"]

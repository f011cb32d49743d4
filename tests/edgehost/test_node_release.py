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
from tests.edgehost.kubectl_stand_in import cluster, deletions

NOWHERE = HostAddress(name="edge1", address="127.0.0.2")


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
    with pytest.raises(NotReady, match="Bring it back with `make up`") as refusal:
        await NodeRelease().delete(host, release(host.address, host.address))
    assert str(refusal.value).startswith(f"{host.address}: API: it did not answer within")
    monkeypatch.setenv(FORGET_VARIABLE, "1")
    await NodeRelease().delete(host, release(host.address, host.address))


async def test_an_agent_says_nothing_of_a_server_that_does_not_answer(host: Host) -> None:
    server = HostAddress(name="cp1", address="127.0.0.2")
    await NodeRelease().delete(host, release(host.address, server))


async def test_a_host_that_is_forgotten_leaves_no_node(host: Host, machine: DisposableHost) -> None:
    cluster(machine, ready="True")
    await NodeRelease().abandon(host.peer(NOWHERE), release(NOWHERE, host.address))
    assert [deletion.split()[0] for deletion in deletions(machine)] == ["node", "pods"]

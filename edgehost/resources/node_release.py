"""What has to be let go of a node that no longer works, before anything else of a site is deleted.

Pulumi deletes last what was made first, so a resource that depends on everything in a cluster goes before it. A node
that is dead, or was installed anew, never tells the cluster that its pods have ended: whatever they belong to would be
waited for until the time is over, and the error would name no host.
"""

from dataclasses import dataclass

from edgehost.address import HostAddress
from edgehost.distributions import DISTRIBUTIONS
from edgehost.errors import AccessError, InputError
from edgehost.forgetting import FORGET_VARIABLE, forgets_unreachable
from edgehost.host import Host
from edgehost.node import Node, no_api, read_node, remove_node, wait_for_api
from edgehost.resource import HostInputs, Resource
from edgehost.resources.cluster_access import check_distribution

API_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class NodeReleaseInputs(HostInputs):
    """Describe a node whose end nobody shall wait for.

    Attributes:
        server: A host of the control plane, where nodes are asked for.
        node_name: The node's name in the cluster.
        distribution: A key of DISTRIBUTIONS.
    """

    server: HostAddress
    node_name: str
    distribution: str = "k3s"


class NodeRelease(Resource[NodeReleaseInputs, NodeReleaseInputs]):
    """Do nothing until it is deleted; then take the node out of the cluster if it does not work any more.

    A host that does not answer, or the server's API, is an error by which it is named, before anything was deleted.
    """

    token = "NodeRelease"
    inputs = NodeReleaseInputs
    state = NodeReleaseInputs
    replace_on = frozenset({"nodeName", "distribution"})

    def identity(self, inputs: NodeReleaseInputs) -> str:
        return inputs.node_name

    def check(self, inputs: NodeReleaseInputs) -> list[InputError]:
        return check_distribution(inputs.distribution)

    async def read(self, host: Host, state: NodeReleaseInputs) -> NodeReleaseInputs | None:
        return state

    async def create(self, host: Host, inputs: NodeReleaseInputs) -> NodeReleaseInputs:
        return inputs

    async def update(self, host: Host, state: NodeReleaseInputs, inputs: NodeReleaseInputs) -> NodeReleaseInputs:
        return inputs

    async def delete(self, host: Host, state: NodeReleaseInputs) -> None:
        await host.enter()
        node = await _node(host, state)
        if not node.api:
            _refuse_without_api(host, state)
        elif node.uid and not node.ready:
            await host.log.warn(f"{host.address}: {node.status(state.node_name)}; its pods are waited for no longer.")
            await _remove(host, state)

    async def abandon(self, host: Host, state: NodeReleaseInputs) -> None:
        await _remove(host, state)


async def _node(host: Host, state: NodeReleaseInputs) -> Node:
    """Return the node; of a server that does not answer, one without an API."""

    async def look() -> Node:
        return await read_node(host.peer(state.server), state.node_name, _kubeconfig_path(state))

    try:
        found = await wait_for_api(look, host, API_SECONDS)
    except AccessError:
        found = None
    return found or Node()


def _refuse_without_api(host: Host, state: NodeReleaseInputs) -> None:
    """Say it once: by the release of the server's own node."""
    if state.host.name != state.server.name or forgets_unreachable():
        return
    raise no_api(
        state.server,
        API_SECONDS,
        "What is in the cluster cannot be deleted, so nothing was.",
        "Bring it back with `make up`; or, if the cluster is gone for good, forget what was in it with "
        f"`{FORGET_VARIABLE}=1 PULUMI_K8S_DELETE_UNREACHABLE=true pulumi destroy`.",
    )


async def _remove(host: Host, state: NodeReleaseInputs) -> None:
    await remove_node(host.peer(state.server), state.node_name, _kubeconfig_path(state))


def _kubeconfig_path(state: NodeReleaseInputs) -> str:
    return DISTRIBUTIONS[state.distribution].kubeconfig_path

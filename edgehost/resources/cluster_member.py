"""A host that is a node of a cluster.

Joining is one step, not a chain of commands, because of the token: it is minted on the server for this one node, goes
to the host by stdin, lies there in memory only, and is deleted when the node is Ready. It is in this process's memory
in between and nowhere else.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace

from edgehost.address import HostAddress
from edgehost.distributions import DISTRIBUTIONS
from edgehost.distributions.protocol import Distribution, JoinToken, Membership
from edgehost.errors import EdgehostError, InputError, NotReady
from edgehost.host import Host
from edgehost.node import (
    READY,
    Node,
    drain_node,
    label_changes,
    label_node,
    no_api,
    not_ready,
    read_node,
    remove_node,
    wait_for,
    wait_for_api,
)
from edgehost.resource import HostInputs, Resource
from edgehost.resources.cluster_access import check_distribution
from edgehost.resources.version_steps import check_kubelet, check_versions


@dataclass(frozen=True, kw_only=True)
class ClusterMemberInputs(HostInputs):
    """Describe a membership.

    Attributes:
        server: A host of the control plane, where tokens are minted and nodes are asked for.
        node_name: The node's name in the cluster.
        unit_name: The agent's unit, which must be installed but need not run.
        token_file: Where an agent of k3s reads its token; nothing usable stays there.
        settings: A JoinConfiguration of kubeadm without its discovery, which is added when the host joins.
        version: The version of Kubernetes that the node runs, for kubeadm; another one is an upgrade.
        control_plane: Whether the node becomes a part of the control plane, for kubeadm.
        distribution: A key of DISTRIBUTIONS.
        server_url: The API's address as the agent uses it.
        labels: The node's labels; others on the node are left alone.
        restart_on: Hashes of what the agent reads at its start; a change of any restarts it.
        ready_timeout_seconds: How long the node may take to be Ready.
        status: Always `Ready` in what is wanted; in the state what keeps the host from being a Ready node.
    """

    server: HostAddress
    node_name: str
    unit_name: str
    token_file: str | None = None
    settings: str | None = None
    version: str | None = None
    control_plane: bool = False
    distribution: str = "k3s"
    server_url: str | None = None
    labels: dict[str, str] = field(default_factory=dict[str, str])
    restart_on: dict[str, str] = field(default_factory=dict[str, str])
    ready_timeout_seconds: int = 180
    status: str = READY


@dataclass(frozen=True, kw_only=True)
class ClusterMemberState(ClusterMemberInputs):
    """Add what the cluster says.

    Attributes:
        node_uid: The node object's uid; it changes when the host joins anew.
    """

    node_uid: str = ""


class ClusterMember(Resource[ClusterMemberInputs, ClusterMemberState]):
    """Join a host to a cluster, and drain, remove and clean it when deleted."""

    token = "ClusterMember"
    inputs = ClusterMemberInputs
    state = ClusterMemberState
    replace_on = frozenset({"nodeName", "unitName", "tokenFile", "distribution", "controlPlane", "server.name"})
    # What a host is told when it joins is of use only then.
    not_compared = frozenset({"readyTimeoutSeconds", "settings"})
    volatile_outputs = frozenset({"nodeUid"})

    def identity(self, inputs: ClusterMemberInputs) -> str:
        return inputs.node_name

    def check(self, inputs: ClusterMemberInputs) -> list[InputError]:
        unknown = check_distribution(inputs.distribution)
        return unknown or DISTRIBUTIONS[inputs.distribution].check(_membership(inputs))

    def check_change(self, state: ClusterMemberState, inputs: ClusterMemberInputs) -> list[InputError]:
        check = check_versions if inputs.control_plane else check_kubelet
        return check(state.version, inputs.version)

    async def read(self, host: Host, state: ClusterMemberState) -> ClusterMemberState | None:
        node, agent = await asyncio.gather(_node(host, state), _agent(host, state))
        labels = {key: node.labels[key] for key in state.labels if key in node.labels}
        version = state.version and (node.version or state.version)
        return replace(state, status=_status(state, node, agent), node_uid=node.uid, labels=labels, version=version)

    async def create(self, host: Host, inputs: ClusterMemberInputs) -> ClusterMemberState:
        return await self._ensure(host, inputs, restart=False, old_labels={})

    async def update(self, host: Host, state: ClusterMemberState, inputs: ClusterMemberInputs) -> ClusterMemberState:
        restart = state.restart_on != inputs.restart_on or state.server_url != inputs.server_url
        return await self._ensure(host, inputs, restart=restart, old_labels=state.labels)

    async def delete(self, host: Host, state: ClusterMemberState) -> None:
        await host.enter()
        distribution, member = DISTRIBUTIONS[state.distribution], _membership(state)
        await _drain(host, state)
        async with _turn(host, state):
            await distribution.withdraw(host, member)
        await _leave(host, state)
        await distribution.uninstall(host, state.unit_name)
        await distribution.forget_token(host, member)

    async def abandon(self, host: Host, state: ClusterMemberState) -> None:
        await _leave(host, state)
        try:
            async with _turn(host, state):
                await DISTRIBUTIONS[state.distribution].forget_node(host.peer(state.server), _membership(state))
        except EdgehostError as error:
            await host.log.warn(f"the control plane still knows of {state.node_name}: {error}")

    async def _ensure(
        self, host: Host, inputs: ClusterMemberInputs, *, restart: bool, old_labels: dict[str, str]
    ) -> ClusterMemberState:
        node, agent = await asyncio.gather(_node(host, inputs), _agent(host, inputs))
        if not node.api:
            node = await _wait_for_api(host, inputs)
        if not node.uid or not agent.admitted:
            node = await _join(host, inputs, node)
        elif inputs.version and node.version != inputs.version:
            node = await _upgrade(host, inputs)
        elif restart or not agent.active or not node.ready:
            await host.change("unit-restart", UNIT=inputs.unit_name)
            node = await _wait_until_ready(host, inputs, inputs.ready_timeout_seconds)
        await _label(host, inputs, node, old_labels)
        return replace(self.begun(inputs), node_uid=node.uid)


@dataclass(frozen=True)
class _Agent:
    """Hold whether the agent runs, and whether it has what lets it into the cluster again after a restart."""

    active: bool
    admitted: bool


def _status(state: ClusterMemberState, node: Node, agent: _Agent) -> str:
    if not agent.active:
        return f"{state.unit_name} is not running"
    if not agent.admitted:
        return f"{state.unit_name} has lost what lets it into the cluster"
    return node.status(state.node_name)


async def _join(host: Host, inputs: ClusterMemberInputs, stale: Node) -> Node:
    """Let the host in; a token that expired before the agent used it is followed by another one."""
    distribution = DISTRIBUTIONS[inputs.distribution]
    async with _turn(host, inputs):
        return await _join_by(host, inputs, stale, distribution)


@asynccontextmanager
async def _turn(host: Host, inputs: ClusterMemberInputs) -> AsyncGenerator[None]:
    """Let a part of the control plane wait until no other one joins or leaves: etcd takes one after the other."""
    async with host.peer(inputs.server).lock("control-plane") if inputs.control_plane else nullcontext():
        yield


async def _join_by(host: Host, inputs: ClusterMemberInputs, stale: Node, distribution: Distribution) -> Node:
    if stale.uid:
        # The object is of a host that was installed anew; the cluster would take this one for an impostor.
        await _leave(host, inputs)
    left = float(inputs.ready_timeout_seconds)
    while left > 0:
        node = await _try_token(host, inputs, distribution, left)
        if node is not None:
            return node
        left -= distribution.token_seconds
    raise await _timed_out(host, inputs)


async def _try_token(
    host: Host, inputs: ClusterMemberInputs, distribution: Distribution, seconds_left: float
) -> Node | None:
    """Return the Ready node, or None when the token expired before the agent used it."""
    # An agent that was let in, but stopped before its node appeared, is refused with what it got then.
    member = _membership(inputs)
    await distribution.forget_identity(host, member)
    await distribution.forget_node(host.peer(inputs.server), member)
    async with _token(host, inputs, distribution) as token:
        await distribution.enter(host, token, member)
        node = await _wait(host, inputs, min(seconds_left, distribution.token_seconds))
        if node is not None or not (await _agent(host, inputs)).admitted:
            return node
    # It is in, and only slow. The images that it imports before its node appears take minutes from a slow disk.
    return await _wait_until_ready(host, inputs, seconds_left - distribution.token_seconds)


@asynccontextmanager
async def _token(
    host: Host, inputs: ClusterMemberInputs, distribution: Distribution
) -> AsyncGenerator[JoinToken, None]:
    """Have a token that lives as long as the block runs, however it ends."""
    server, member = host.peer(inputs.server), _membership(inputs)
    token = await distribution.mint(server, member)
    try:
        yield token
    finally:
        results = await asyncio.gather(
            distribution.revoke(server, token),
            distribution.wipe(host, token, member),
            return_exceptions=True,
        )
        for problem in results:
            if isinstance(problem, EdgehostError):
                await host.log.warn(f"the token dies by itself within {distribution.token_seconds} s: {problem}")


async def _wait(host: Host, inputs: ClusterMemberInputs, seconds: float) -> Node | None:
    return await wait_for(lambda: _node(host, inputs), lambda node: node.ready, host, "the node", seconds)


async def _wait_until_ready(host: Host, inputs: ClusterMemberInputs, seconds: float) -> Node:
    node = await _wait(host, inputs, seconds)
    if node is None:
        raise await _timed_out(host, inputs)
    return node


async def _wait_for_api(host: Host, inputs: ClusterMemberInputs) -> Node:
    seconds = inputs.ready_timeout_seconds
    node = await wait_for_api(lambda: _node(host, inputs), host, seconds)
    if node is None:
        why = f"{host.address.name} can neither join nor be asked for."
        journal = f"Read the server's journal (`ssh {inputs.server.address} journalctl -b -n 100`)"
        raise no_api(inputs.server, seconds, why, f"{journal}, then run `pulumi up` again.")
    return node


async def _timed_out(host: Host, inputs: ClusterMemberInputs) -> NotReady:
    what = f"the node {inputs.node_name} was not Ready"
    return await not_ready(host, inputs.unit_name, what, inputs.ready_timeout_seconds)


async def _label(host: Host, inputs: ClusterMemberInputs, node: Node, old: dict[str, str]) -> None:
    changes = label_changes(old, inputs.labels, node.labels)
    if changes or node.cordoned:
        server = host.peer(inputs.server)
        await label_node(server, inputs.node_name, _kubeconfig_path(inputs), changes)


async def _upgrade(host: Host, inputs: ClusterMemberInputs) -> Node:
    """Bring a node to another version with no pod on it, and no other node of the cluster at the same time."""
    async with host.peer(inputs.server).lock("upgrade"):
        await host.log.progress(f"{host.address}: upgrading to {inputs.version}")
        await _drain(host, inputs)
        await DISTRIBUTIONS[inputs.distribution].upgrade(host, _membership(inputs))
        seconds = inputs.ready_timeout_seconds
        node = await wait_for(
            lambda: _node(host, inputs),
            lambda node: node.ready and node.version == inputs.version,
            host,
            f"the node to run {inputs.version}",
            seconds,
        )
        if node is None:
            raise await _timed_out(host, inputs)
        await label_node(host.peer(inputs.server), inputs.node_name, _kubeconfig_path(inputs), {})
        return replace(node, cordoned=False)


async def _drain(host: Host, inputs: ClusterMemberInputs) -> None:
    """Let the node's pods move; a cluster that is gone has none, and pods that do not go are ended with the node."""
    try:
        await drain_node(host.peer(inputs.server), inputs.node_name, _kubeconfig_path(inputs))
    except EdgehostError as error:
        await host.log.warn(f"the node {inputs.node_name} was not drained: {error}")


async def _leave(host: Host, inputs: ClusterMemberInputs) -> None:
    await remove_node(host.peer(inputs.server), inputs.node_name, _kubeconfig_path(inputs))


def _membership(inputs: ClusterMemberInputs) -> Membership:
    return Membership(
        node_name=inputs.node_name,
        unit_name=inputs.unit_name,
        version=inputs.version or "",
        token_file=inputs.token_file or "",
        settings=inputs.settings or "",
        server_url=inputs.server_url or "",
        control_plane=inputs.control_plane,
    )


async def _node(host: Host, inputs: ClusterMemberInputs) -> Node:
    return await read_node(host.peer(inputs.server), inputs.node_name, _kubeconfig_path(inputs))


async def _agent(host: Host, inputs: ClusterMemberInputs) -> _Agent:
    paths = DISTRIBUTIONS[inputs.distribution].identity_paths(_membership(inputs))
    report = await host.read("agent-read", UNIT=inputs.unit_name, IDENTITY_PATHS="\n".join(paths))
    return _Agent(report.flag("active"), report.flag("admitted"))


def _kubeconfig_path(inputs: ClusterMemberInputs) -> str:
    return DISTRIBUTIONS[inputs.distribution].kubeconfig_path

"""The way into a cluster: its API answers, its first node is Ready, and this is the kubeconfig."""

import asyncio
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from edgehost.distributions import DISTRIBUTIONS
from edgehost.errors import InputError
from edgehost.host import Host
from edgehost.node import POLL_SECONDS, READY, Node, label_changes, label_node, not_ready, read_node, wait_for
from edgehost.resource import HostInputs, Resource
from edgehost.resources.version_steps import check_versions

DEPARTURE_SECONDS = 120.0
SERVER = re.compile(r"^(\s*server: https://)[^:/\s]+(:\d+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class ClusterAccessInputs(HostInputs):
    """Describe a cluster's first server.

    Attributes:
        node_name: The server's own node.
        unit_name: The unit that runs the server.
        distribution: A key of DISTRIBUTIONS.
        wanted_version: The version of Kubernetes that the site asks for, to refuse steps that no cluster survives.
        networks: The networks of pods and Services, by these names; a cluster has its own for life.
        labels: Labels of the server's node.
        renewed_on: What the kubeconfig follows from beside the cluster itself; a change of any reads it anew.
        awaits_node: Whether the node has to be Ready before anybody gets in; it cannot be where its network is made of
            the cluster's own objects.
        ready_timeout_seconds: How long the API and the node may take.
        status: Always `Ready` in what is wanted; in the state what keeps the first node from it.
    """

    node_name: str
    unit_name: str
    distribution: str = "k3s"
    wanted_version: str | None = None
    networks: dict[str, str] = field(default_factory=dict[str, str])
    labels: dict[str, str] = field(default_factory=dict[str, str])
    renewed_on: dict[str, str] = field(default_factory=dict[str, str])
    awaits_node: bool = True
    ready_timeout_seconds: int = 300
    status: str = READY


@dataclass(frozen=True, kw_only=True)
class ClusterAccessState(ClusterAccessInputs):
    """Add the way in.

    Attributes:
        kubeconfig: The administrator's kubeconfig with the host's address; a secret.
        version: The server's version of Kubernetes.
    """

    kubeconfig: str = ""
    version: str = ""


class ClusterAccess(Resource[ClusterAccessInputs, ClusterAccessState]):
    """Wait for a cluster and hand out its kubeconfig; remove the server's data when deleted."""

    token = "ClusterAccess"
    inputs = ClusterAccessInputs
    state = ClusterAccessState
    replace_on = frozenset({"nodeName", "distribution"})
    not_compared = frozenset({"awaitsNode", "readyTimeoutSeconds", "unitName", "wantedVersion"})
    secret_outputs = frozenset({"kubeconfig"})
    volatile_outputs = frozenset({"kubeconfig"})

    def identity(self, inputs: ClusterAccessInputs) -> str:
        return inputs.node_name

    def check(self, inputs: ClusterAccessInputs) -> list[InputError]:
        return check_distribution(inputs.distribution)

    def check_change(self, state: ClusterAccessState, inputs: ClusterAccessInputs) -> list[InputError]:
        return [
            *check_versions(state.version, inputs.wanted_version),
            *check_networks(state.networks, inputs.networks),
        ]

    async def read(self, host: Host, state: ClusterAccessState) -> ClusterAccessState | None:
        node = await _node(host, state)
        labels = {key: node.labels[key] for key in state.labels if key in node.labels}
        found = replace(state, status=node.status(state.node_name), labels=labels)
        return await self._with_access(host, found, node) if node.api else found

    async def create(self, host: Host, inputs: ClusterAccessInputs) -> ClusterAccessState:
        return await self._wait(host, inputs, old_labels={})

    async def update(self, host: Host, state: ClusterAccessState, inputs: ClusterAccessInputs) -> ClusterAccessState:
        if not (await _node(host, inputs)).kubeconfig:
            # A server of k3s writes it when it starts; that of kubeadm is a part of its control plane.
            await host.change("unit-restart", UNIT=inputs.unit_name)
        return await self._wait(host, inputs, old_labels=state.labels)

    async def delete(self, host: Host, state: ClusterAccessState) -> None:
        await _wait_for_departures(host, state)
        await DISTRIBUTIONS[state.distribution].uninstall(host, state.unit_name)

    async def _wait(self, host: Host, inputs: ClusterAccessInputs, old_labels: dict[str, str]) -> ClusterAccessState:
        seconds = inputs.ready_timeout_seconds

        def is_there(node: Node) -> bool:
            return node.ready if inputs.awaits_node else bool(node.uid)

        node = await wait_for(lambda: _node(host, inputs), is_there, host, "the API", seconds)
        if node is None:
            raise await not_ready(host, inputs.unit_name, "the cluster's API and first node were not ready", seconds)
        changes = label_changes(old_labels, inputs.labels, node.labels)
        if changes or node.cordoned:
            await label_node(host, inputs.node_name, _kubeconfig_path(inputs), changes)
        return await self._with_access(host, self.begun(inputs), node)

    async def _with_access(self, host: Host, state: ClusterAccessState, node: Node) -> ClusterAccessState:
        report = await host.read("file-read", FILE_PATH=_kubeconfig_path(state))
        kubeconfig = SERVER.sub(rf"\g<1>{host.address.address}\g<2>", report.text("content"))
        return replace(state, kubeconfig=kubeconfig, version=node.version)


async def _wait_for_departures(host: Host, state: ClusterAccessState) -> None:
    """Let other nodes leave first: a server that is gone can neither drain them nor forget them.

    A member depends on the server's unit and not on this resource, so that it need not wait for the server's node to
    join, and so both are deleted at the same time.
    """
    deadline = time.monotonic() + DEPARTURE_SECONDS
    while True:
        report = await host.read("nodes-read", KUBECONFIG_PATH=_kubeconfig_path(state))
        others = [name for name in report.all("node") if name != state.node_name]
        if not others:
            return
        if time.monotonic() > deadline:
            await host.log.warn(f"{host.address}: the cluster goes although it still has {', '.join(others)}")
            return
        await host.log.progress(f"{host.address}: waiting for {', '.join(others)} to leave")
        await asyncio.sleep(POLL_SECONDS)


def check_distribution(name: str) -> list[InputError]:
    """Return what is wrong with a distribution's name."""
    if name in DISTRIBUTIONS:
        return []
    return [
        InputError(
            "distribution",
            f"{name!r} is not a distribution that this provider knows",
            "It does not know how its nodes join and leave.",
            f"Use one of {', '.join(DISTRIBUTIONS)}.",
        )
    ]


def check_networks(begun_with: Mapping[str, str], wanted: Mapping[str, str]) -> list[InputError]:
    """Return what forbids to give a running cluster other networks."""
    return [
        InputError(
            "networks",
            f"{wanted[name]} for {name}, and the cluster was begun with {network}",
            "Every node and pod has its address from the network that the cluster was begun with.",
            f"Write {network} again; for another one, destroy this site first.",
        )
        for name, network in begun_with.items()
        if wanted.get(name, network) != network
    ]


async def _node(host: Host, inputs: ClusterAccessInputs) -> Node:
    return await read_node(host, inputs.node_name, _kubeconfig_path(inputs))


def _kubeconfig_path(inputs: ClusterAccessInputs) -> str:
    return DISTRIBUTIONS[inputs.distribution].kubeconfig_path

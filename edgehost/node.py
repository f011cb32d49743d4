"""A node of a cluster as its server sees it, and waiting for it."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from edgehost.address import HostAddress
from edgehost.errors import EdgehostError, NotReady
from edgehost.host import Host

READY = "Ready"
"""What a resource of a node calls the state that is wanted; any other text says what stands in the way."""
POLL_SECONDS = 0.7
PROGRESS_SECONDS = 10.0
DRAIN_SECONDS = 60


@dataclass(frozen=True)
class Node:
    """Hold what the API says about a node; without a uid there is none.

    Attributes:
        kubeconfig: Whether the server has the administrator's kubeconfig, without which it cannot be asked.
        api: Whether the API answered at all.
        uid: The node object's uid.
        ready: Whether its Ready condition is true.
        cordoned: Whether new pods are kept away.
        version: Its kubelet's version.
        labels: All of its labels.
    """

    kubeconfig: bool = False
    api: bool = False
    uid: str = ""
    ready: bool = False
    cordoned: bool = False
    version: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def status(self, name: str) -> str:
        """Return READY, or what keeps the node of this name from it."""
        if not self.kubeconfig:
            return "the server has no kubeconfig"
        if not self.api:
            return "the API does not answer"
        if not self.uid:
            return f"node {name} is not in the cluster"
        if not self.ready:
            return f"node {name} is not Ready"
        return f"node {name} is cordoned: no new pods come to it" if self.cordoned else READY


async def read_node(server: Host, name: str, kubeconfig_path: str) -> Node:
    """Return a node as it is now."""
    report = await server.read("node-read", NODE=name, KUBECONFIG_PATH=kubeconfig_path)
    return Node(
        kubeconfig=report.flag("kubeconfig"),
        api=report.flag("api"),
        uid=report.one("uid"),
        ready=report.one("ready") == "True",
        cordoned=report.flag("cordoned"),
        version=report.one("version"),
        labels=json.loads(report.one("labels") or "{}"),
    )


async def label_node(server: Host, name: str, kubeconfig_path: str, labels: Mapping[str, str | None]) -> None:
    """Set labels (None removes one) and let pods onto the node."""
    lines = [f"{key}-" if value is None else f"{key}={value}" for key, value in labels.items()]
    await server.change("node-label", NODE=name, LABELS="\n".join(lines), KUBECONFIG_PATH=kubeconfig_path)


async def drain_node(server: Host, name: str, kubeconfig_path: str) -> None:
    """Let pods move to other nodes, those that the cluster does not keep on each node; warn of those that stay.

    Raises:
        EdgehostError: The server was not entered, or the cluster does not answer.
    """
    report = await server.change(
        "node-drain",
        timeout_seconds=DRAIN_SECONDS * 2,
        NODE=name,
        SECONDS_ALLOWED=str(DRAIN_SECONDS),
        KUBECONFIG_PATH=kubeconfig_path,
    )
    if report.one("undrained"):
        await server.log.warn(f"{name} was not drained within {DRAIN_SECONDS} s; its pods were ended.")


async def remove_node(server: Host, name: str, kubeconfig_path: str) -> None:
    """Remove a node from the cluster, with the pods on it; a cluster that is gone has nothing to be removed from."""
    try:
        await server.change("node-delete", NODE=name, KUBECONFIG_PATH=kubeconfig_path)
    except EdgehostError as error:
        await server.log.warn(f"the node object {name} stays in the cluster: {error}")


def label_changes(old: Mapping[str, str], wanted: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str | None]:
    """Return what to do about labels; those that we never set are left alone."""
    changes: dict[str, str | None] = {key: None for key in old if key not in wanted and key in found}
    return changes | {key: value for key, value in wanted.items() if found.get(key) != value}


async def wait_for(
    look: Callable[[], Awaitable[Node]], is_there: Callable[[Node], bool], host: Host, what: str, seconds: float
) -> Node | None:
    """Look again and again until it is there; return None when the time is over.

    Args:
        look: Reads the node.
        is_there: Says whether it is as awaited.
        host: The host that is waited for, for the log.
        what: What is waited for, in words.
        seconds: How long.
    """
    started, told = time.monotonic(), 0.0
    while (waited := time.monotonic() - started) < seconds:
        node = await look()
        if is_there(node):
            return node
        if waited - told > PROGRESS_SECONDS:
            told = waited
            await host.log.progress(f"{host.address}: waiting for {what} ({waited:.0f} s of {seconds:.0f} s)")
        await asyncio.sleep(POLL_SECONDS)
    return None


async def wait_for_api(look: Callable[[], Awaitable[Node]], host: Host, seconds: float) -> Node | None:
    """Look again and again until the server's API answers; return None when the time is over."""
    return await wait_for(look, lambda node: node.api, host, "the server's API", seconds)


def no_api(server: HostAddress, seconds: float, why: str, remedy: str) -> NotReady:
    """Return the error of a server whose API did not answer."""
    return NotReady(f"{server}: API", f"it did not answer within {seconds:.0f} s", why, remedy)


def steadily(is_there: Callable[[Node], bool], seconds: float) -> Callable[[Node], bool]:
    """Return what says whether a node has been as awaited at every look of the last seconds."""
    since: float | None = None

    def has_been(node: Node) -> bool:
        nonlocal since
        now = time.monotonic()
        since = (now if since is None else since) if is_there(node) else None
        return since is not None and now - since >= seconds

    return has_been


async def not_ready(host: Host, unit: str, what: str, seconds: float) -> NotReady:
    """Return the error of something that did not become ready, with the unit's last lines."""
    report = await host.read("unit-active", UNIT=unit)
    lines = "".join(f"\n    {line}" for line in report.all("line"))
    state = "runs" if report.flag("active") else "does not run"
    return NotReady(
        f"{host.address}: {unit}",
        f"{what} within {seconds:.0f} s; the unit {state}, its last lines:{lines or ' none'}\n ",
        "What depends on it cannot go on.",
        f"Read `ssh {host.address.address} journalctl -u {unit} -n 100`, then run `pulumi up` again.",
    )

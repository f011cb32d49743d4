"""The control plane of a kubeadm cluster on one host: its static pods, their version, their certificates."""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, cast

from edgehost.address import HostAddress
from edgehost.distributions import DISTRIBUTIONS
from edgehost.distributions.kubeadm import UPGRADE_SECONDS, Kubeadm, upgrade_configuration
from edgehost.errors import CommandFailed, InputError
from edgehost.forgetting import FORGET_VARIABLE
from edgehost.host import Host
from edgehost.node import drain_node, label_node, not_ready, read_node, steadily, wait_for
from edgehost.report import Report
from edgehost.resource import HostInputs, Resource
from edgehost.resources.version_steps import check_versions

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
ADDONS = (
    "configmap/coredns",
    "configmap/kube-proxy",
    "daemonset.apps/kube-proxy",
    "deployment.apps/coredns",
    "service/kube-dns",
)
"""Objects in the cluster without which no Service is reached or no name is found; kubeadm makes them at its start."""
COMPLETE = "complete"
BROKEN_OFF = "partly upgraded to "
VALID = "valid"
RENEWAL_DAYS = 30
"""Certificates that end sooner are renewed; kubeadm's live a year."""
INIT_SECONDS = 600.0
UNNEEDED = frozenset({"super-admin.conf"})
"""Only the server that starts a cluster has it, for the case that nobody else may do anything any more."""
STEADY_SECONDS = 20.0
"""A kubelet of another minor version may start the API's own pod anew, right after its node is Ready."""


@dataclass(frozen=True, kw_only=True)
class ControlPlaneInputs(HostInputs):
    """Describe the control plane on a host.

    Attributes:
        node_name: The host's node.
        unit_name: The unit of kubelet.
        version: The version of Kubernetes; another one is an upgrade of the whole cluster's control plane.
        settings: kubeadm's configuration objects, the ClusterConfiguration last and without its version.
        starts_cluster: Whether the cluster begins here; the other control planes join it as members first.
        others: The other servers. While one of them has a cluster, none begins here.
        ready_timeout_seconds: How long the node may take to be Ready after an upgrade.
        parts: Always `complete` in what is wanted; in the state which static pods have no manifest, or that an upgrade
            broke off.
        certificates: Always `valid` in what is wanted; in the state which end within 30 days.
        addons: Always `complete` in what is wanted; in the state which objects of kube-proxy and CoreDNS are gone. Only
            the host where the cluster started is asked.
    """

    node_name: str
    unit_name: str
    version: str
    settings: str
    starts_cluster: bool = True
    others: list[HostAddress] = field(default_factory=list[HostAddress])
    ready_timeout_seconds: int = 300
    parts: str = COMPLETE
    certificates: str = VALID
    addons: str = COMPLETE


@dataclass(frozen=True, kw_only=True)
class ControlPlaneState(ControlPlaneInputs):
    """Add what a renewal changes.

    Attributes:
        administrator_until: When the administrator's certificate ends; another one comes with another kubeconfig.
    """

    administrator_until: str = ""


class ControlPlane(Resource[ControlPlaneInputs, ControlPlaneState]):
    """Start a cluster on a host, keep its control plane whole, upgrade it, and renew its certificates."""

    token = "ControlPlane"
    inputs = ControlPlaneInputs
    state = ControlPlaneState
    volatile_outputs = frozenset({"administratorUntil"})
    replace_on = frozenset({"nodeName", "unitName", "startsCluster"})
    not_compared = frozenset({"readyTimeoutSeconds", "others"})

    def identity(self, inputs: ControlPlaneInputs) -> str:
        return inputs.node_name

    def check_change(self, state: ControlPlaneState, inputs: ControlPlaneInputs) -> list[InputError]:
        broken_off = state.parts.startswith(BROKEN_OFF) and state.version == inputs.version
        return [_half_upgraded(state)] if broken_off else check_versions(state.version, inputs.version)

    async def read(self, host: Host, state: ControlPlaneState) -> ControlPlaneState | None:
        report = await _look(host, state)
        if not report.flag("made"):
            return None
        found = report.pairs("part")
        before, _, target = report.one("unfinished").partition(" ")
        return replace(
            state,
            version=before or found.get("kube-apiserver", state.version),
            parts=f"{BROKEN_OFF}{target}" if before else _missing(found),
            certificates=expiring(report),
            addons=_gone(report) if state.starts_cluster else COMPLETE,
            administrator_until=_ends(report).get("admin.conf", ""),
        )

    async def create(self, host: Host, inputs: ControlPlaneInputs) -> ControlPlaneState:
        if inputs.starts_cluster:
            await _refuse_a_second_cluster(host, inputs)
            config = _config(inputs, inputs.version)
            values = {"CONFIG": config, "VERSION": inputs.version, "UNIT": inputs.unit_name}
            await host.change("kubeadm-init", timeout_seconds=INIT_SECONDS, **values)
        return await self._made(host, inputs)

    async def update(self, host: Host, state: ControlPlaneState, inputs: ControlPlaneInputs) -> ControlPlaneState:
        if state.version != inputs.version and inputs.starts_cluster:
            await _upgrade(host, inputs, state.version)
        upgraded = state.parts.startswith(BROKEN_OFF)
        whole = state.certificates == VALID and state.addons == COMPLETE and (upgraded or state.parts == COMPLETE)
        if not whole or state.settings != inputs.settings:
            await host.change(
                "control-plane-repair",
                timeout_seconds=INIT_SECONDS,
                CONFIG=_config(inputs, inputs.version),
                RENEW=_flag(state.certificates != VALID),
                ADDONS=_flag(state.addons != COMPLETE),
                KUBECONFIG_PATH=Kubeadm.kubeconfig_path,
            )
        return await self._made(host, inputs)

    async def _made(self, host: Host, inputs: ControlPlaneInputs) -> ControlPlaneState:
        report = await _look(host, inputs)
        return replace(self.begun(inputs), administrator_until=_ends(report).get("admin.conf", ""))

    async def delete(self, host: Host, state: ControlPlaneState) -> None:
        """Reset what starts the cluster; the others leave it as members do."""
        if state.starts_cluster:
            await DISTRIBUTIONS["kubeadm"].uninstall(host, state.unit_name)


async def _upgrade(host: Host, inputs: ControlPlaneInputs, running: str) -> None:
    """Upgrade with no pod on the node but the control plane's own."""
    kubeconfig = Kubeadm.kubeconfig_path
    async with host.lock("upgrade"):
        await host.log.progress(f"{host.address}: upgrading the control plane to {inputs.version}")
        await drain_node(host, inputs.node_name, kubeconfig)
        await host.change(
            "kubeadm-upgrade-apply",
            timeout_seconds=UPGRADE_SECONDS,
            SETTINGS=_config(inputs, running),
            CONFIG=upgrade_configuration(inputs.settings, inputs.version),
            RUNNING=running,
            VERSION=inputs.version,
            UNIT=inputs.unit_name,
        )
        seconds = inputs.ready_timeout_seconds
        node = await wait_for(
            lambda: read_node(host, inputs.node_name, kubeconfig),
            steadily(lambda node: node.ready and node.version == inputs.version, STEADY_SECONDS),
            host,
            f"the node to run {inputs.version}",
            seconds,
        )
        if node is None:
            raise await not_ready(host, inputs.unit_name, f"the node did not run {inputs.version}", seconds)
        await label_node(host, inputs.node_name, kubeconfig, {})


async def _refuse_a_second_cluster(host: Host, inputs: ControlPlaneInputs) -> None:
    """Keep a server that was installed anew from ending the cluster that the others still have."""
    for other in inputs.others:
        if await _has_cluster(host.peer(other), inputs) and not await _has_cluster(host, inputs):
            raise CommandFailed(
                f"{host.address}: control plane",
                f"there is no cluster on this host any more, and {other} still has it",
                "A new one would begin here, and the other one would end with everything in it.",
                "Start this host from its old disk; or, if the cluster may end, clean the other hosts with "
                f"`{FORGET_VARIABLE}=1 make down` and bring the site up anew.",
            )


def _half_upgraded(state: ControlPlaneState) -> InputError:
    target = state.parts.removeprefix(BROKEN_OFF)
    return InputError(
        "version",
        f"{state.version}, and an upgrade from it to {target} broke off",
        "Parts of the control plane may run the new version already and have stored what the old one cannot read.",
        f"Write {target} again: the next run begins the upgrade anew.",
    )


def _config(inputs: ControlPlaneInputs, version: str) -> str:
    return f"{inputs.settings.rstrip()}\nkubernetesVersion: {version}\n"


async def _look(host: Host, inputs: ControlPlaneInputs) -> Report:
    return await host.read(
        "control-plane-read",
        CONFIG=_config(inputs, inputs.version),
        ADDONS=" ".join(ADDONS) if inputs.starts_cluster else "",
        KUBECONFIG_PATH=Kubeadm.kubeconfig_path,
    )


async def _has_cluster(host: Host, inputs: ControlPlaneInputs) -> bool:
    return (await _look(host, replace(inputs, starts_cluster=False))).flag("made")


def _flag(value: bool) -> str:
    return str(value).lower()


def _gone(report: Report) -> str:
    """Return which of kubeadm's objects are gone; where the API did not answer, that is another resource's to tell."""
    gone = [name for name in ADDONS if name not in report.all("addon")]
    return f"no {', '.join(gone)}" if gone and report.flag("asked") else COMPLETE


def _missing(found: dict[str, str]) -> str:
    missing = [part for part in PARTS if part not in found]
    return COMPLETE if not missing else f"no manifest of {', '.join(missing)}"


def expiring(report: Report) -> str:
    """Return which certificates are missing or end soon; what cannot be read is no reason to call them valid."""
    ends = _ends(report)
    if not ends:
        return "cannot be read"
    missing = sorted(name for name, end in ends.items() if not end)
    if missing:
        return f"missing: {', '.join(missing)}"
    soon = {name: left for name, end in ends.items() if (left := _days_left(end)) < RENEWAL_DAYS}
    if not soon:
        return VALID
    first = min(soon.values())
    when = "expired" if first < 0 else f"{first:.0f} days left"
    return f"{when}: {', '.join(sorted(soon))}"


def _ends(report: Report) -> dict[str, str]:
    """Return when each certificate ends, empty for one that is missing; nothing if kubeadm did not say."""
    try:
        entries = cast(list[dict[str, Any]], json.loads(report.one("certificates"))["certificates"])
        ends = {entry["name"]: "" if entry["missing"] else entry["expirationDate"] for entry in entries}
        return {name: end for name, end in ends.items() if end or name not in UNNEEDED}
    except (ValueError, KeyError, TypeError):
        return {}


def _days_left(when: str) -> float:
    return (datetime.fromisoformat(when) - datetime.now(UTC)).total_seconds() / 86400

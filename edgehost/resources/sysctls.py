"""Kernel settings, live and at every start."""

import re
from dataclasses import dataclass, replace

from edgehost.errors import InputError
from edgehost.host import Host
from edgehost.resource import HostInputs, Resource

FILE_PATH = "/etc/sysctl.d/90-kubevc.conf"
# k3s, the kubelet and kube-proxy set these by themselves. They are not ours to ask for, but ours to put back.
CHANGED_BY_CLUSTERS = (
    "kernel.keys.root_maxbytes",
    "kernel.keys.root_maxkeys",
    "kernel.panic",
    "kernel.panic_on_oops",
    "net.ipv4.conf.all.forwarding",
    "net.ipv4.conf.all.route_localnet",
    "net.ipv4.conf.default.forwarding",
    "net.ipv4.ip_forward",
    "net.ipv6.conf.all.forwarding",
    "net.netfilter.nf_conntrack_max",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait",
    "net.netfilter.nf_conntrack_tcp_timeout_established",
    "vm.overcommit_memory",
    "vm.panic_on_oom",
)
KEY = re.compile(r"[a-zA-Z0-9_./-]+")


@dataclass(frozen=True, kw_only=True)
class SysctlsInputs(HostInputs):
    """Describe kernel settings.

    Attributes:
        settings: The value of each setting, as `sysctl -n` shows it with single spaces.
        persistent: Always true in what is wanted; false in the state when the file for the next start differs.
    """

    settings: dict[str, str]
    persistent: bool = True


class Sysctls(Resource[SysctlsInputs, SysctlsInputs]):
    """Set kernel settings, and put the previous values back when deleted."""

    token = "Sysctls"
    inputs = SysctlsInputs
    state = SysctlsInputs

    def identity(self, inputs: SysctlsInputs) -> str:
        return FILE_PATH

    def check(self, inputs: SysctlsInputs) -> list[InputError]:
        return [_bad_key(key) for key in inputs.settings if not KEY.fullmatch(key) or ".." in key]

    def complete(self, inputs: SysctlsInputs) -> SysctlsInputs:
        return replace(inputs, settings={key: " ".join(value.split()) for key, value in inputs.settings.items()})

    async def read(self, host: Host, state: SysctlsInputs) -> SysctlsInputs | None:
        report = await host.read(
            "sysctls-read", KEYS="\n".join(state.settings), CONTENT=file_content(state.settings), FILE_PATH=FILE_PATH
        )
        return replace(state, settings=report.pairs("live"), persistent=report.flag("persistent"))

    async def create(self, host: Host, inputs: SysctlsInputs) -> SysctlsInputs:
        return await self._apply(host, inputs, dropped=[])

    async def update(self, host: Host, state: SysctlsInputs, inputs: SysctlsInputs) -> SysctlsInputs:
        return await self._apply(host, inputs, dropped=[key for key in state.settings if key not in inputs.settings])

    async def delete(self, host: Host, state: SysctlsInputs) -> None:
        await host.change("sysctls-delete", FILE_PATH=FILE_PATH)

    async def _apply(self, host: Host, inputs: SysctlsInputs, dropped: list[str]) -> SysctlsInputs:
        await host.change(
            "sysctls-apply",
            SETTINGS="".join(f"{key} {value}\n" for key, value in inputs.settings.items()),
            REMEMBERED="\n".join(CHANGED_BY_CLUSTERS),
            DROPPED="\n".join(dropped),
            CONTENT=file_content(inputs.settings),
            FILE_PATH=FILE_PATH,
        )
        return inputs


def file_content(settings: dict[str, str]) -> str:
    """Return the text of the file that sets them at every start."""
    lines = "".join(f"{key} = {value}\n" for key, value in sorted(settings.items()))
    return f"# Kernel settings of this host's site; the site's program rewrites this file.\n{lines}"


def _bad_key(key: str) -> InputError:
    return InputError(
        f'settings["{key}"]',
        f"{key!r} is not the name of a kernel setting",
        "It would be looked for below /proc/sys.",
        "Write it as `sysctl -a` shows it, for example net.ipv4.ip_forward.",
    )

"""Features of the kernel, built in or as modules."""

import re
from dataclasses import dataclass, replace

from edgehost.errors import InputError
from edgehost.host import Host
from edgehost.resource import HostInputs, Resource

FILE_PATH = "/etc/modules-load.d/90-kubevc.conf"
NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True, kw_only=True)
class KernelFeaturesInputs(HostInputs):
    """Describe kernel features.

    Attributes:
        names: Their modules' names with underscores, for example br_netfilter.
    """

    names: list[str]


class KernelFeatures(Resource[KernelFeaturesInputs, KernelFeaturesInputs]):
    """Have the kernel carry features, now and at every start."""

    token = "KernelFeatures"
    inputs = KernelFeaturesInputs
    state = KernelFeaturesInputs

    def identity(self, inputs: KernelFeaturesInputs) -> str:
        return FILE_PATH

    def check(self, inputs: KernelFeaturesInputs) -> list[InputError]:
        return [_bad_name(name) for name in inputs.names if not NAME.fullmatch(name)]

    async def read(self, host: Host, state: KernelFeaturesInputs) -> KernelFeaturesInputs | None:
        report = await host.read("kernel-read", NAMES="\n".join(state.names), FILE_PATH=FILE_PATH)
        return replace(state, names=report.all("there"))

    async def create(self, host: Host, inputs: KernelFeaturesInputs) -> KernelFeaturesInputs:
        await host.change("kernel-load", NAMES="\n".join(inputs.names), FILE_PATH=FILE_PATH)
        return inputs

    async def update(
        self, host: Host, state: KernelFeaturesInputs, inputs: KernelFeaturesInputs
    ) -> KernelFeaturesInputs:
        return await self.create(host, inputs)

    async def delete(self, host: Host, state: KernelFeaturesInputs) -> None:
        await host.change("kernel-unload", FILE_PATH=FILE_PATH)


def _bad_name(name: str) -> InputError:
    return InputError(
        "names",
        f"{name!r} is not the name of a kernel module",
        "modprobe would not find it.",
        "Write it with underscores as `lsmod` shows it, for example br_netfilter.",
    )

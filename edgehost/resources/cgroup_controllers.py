"""Cgroup controllers: without them the limits of pods do nothing."""

from dataclasses import dataclass, replace

from edgehost.host import Host
from edgehost.resource import HostInputs, Resource


@dataclass(frozen=True, kw_only=True)
class CgroupControllersInputs(HostInputs):
    """Describe cgroup controllers.

    Attributes:
        names: Controllers that must be active, for example cpu and memory.
    """

    names: list[str]


class CgroupControllers(Resource[CgroupControllersInputs, CgroupControllersInputs]):
    """Have cgroup controllers active, by the kernel's command line where that is needed."""

    token = "CgroupControllers"
    inputs = CgroupControllersInputs
    state = CgroupControllersInputs

    def identity(self, inputs: CgroupControllersInputs) -> str:
        return "cgroups"

    async def read(self, host: Host, state: CgroupControllersInputs) -> CgroupControllersInputs | None:
        active = set((await host.read("cgroups-read")).all("active"))
        return replace(state, names=[name for name in state.names if name in active])

    async def create(self, host: Host, inputs: CgroupControllersInputs) -> CgroupControllersInputs:
        await host.change("cgroups-enable", NAMES="\n".join(inputs.names))
        return inputs

    async def update(
        self, host: Host, state: CgroupControllersInputs, inputs: CgroupControllersInputs
    ) -> CgroupControllersInputs:
        return await self.create(host, inputs)

    async def delete(self, host: Host, state: CgroupControllersInputs) -> None:
        await host.change("cgroups-restore")

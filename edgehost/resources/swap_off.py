"""No swap: the kubelet refuses to start with it, and limits of memory mean nothing beside it."""

from dataclasses import dataclass, field, replace

from edgehost.host import Host
from edgehost.resource import HostInputs, Resource


@dataclass(frozen=True, kw_only=True)
class SwapOffInputs(HostInputs):
    """Describe that there is no swap.

    Attributes:
        active: Always empty in what is wanted; in the state the areas that are in use.
        at_start: Always empty in what is wanted; in the state what would swap at the next start.
    """

    active: list[str] = field(default_factory=list[str])
    at_start: list[str] = field(default_factory=list[str])


class SwapOff(Resource[SwapOffInputs, SwapOffInputs]):
    """Stop swapping, and swap again as before when deleted."""

    token = "SwapOff"
    inputs = SwapOffInputs
    state = SwapOffInputs

    def identity(self, inputs: SwapOffInputs) -> str:
        return "swap"

    async def read(self, host: Host, state: SwapOffInputs) -> SwapOffInputs | None:
        report = await host.read("swap-read")
        return replace(state, active=report.all("active"), at_start=report.all("boot"))

    async def create(self, host: Host, inputs: SwapOffInputs) -> SwapOffInputs:
        await host.change("swap-off")
        return inputs

    async def update(self, host: Host, state: SwapOffInputs, inputs: SwapOffInputs) -> SwapOffInputs:
        return await self.create(host, inputs)

    async def delete(self, host: Host, state: SwapOffInputs) -> None:
        await host.change("swap-restore")

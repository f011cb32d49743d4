"""Packages of the host's distribution, by apt."""

import hashlib
from dataclasses import dataclass, field, replace

from edgehost.errors import InputError
from edgehost.host import Host
from edgehost.report import Report
from edgehost.resource import HostInputs, Resource

APT_SECONDS = 1200.0
ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+-.:")


@dataclass(frozen=True, kw_only=True)
class PackagesInputs(HostInputs):
    """Describe packages.

    Attributes:
        names: Debian package names.
    """

    names: list[str]


@dataclass(frozen=True, kw_only=True)
class PackagesState(PackagesInputs):
    """Add what was done.

    Attributes:
        record: The name of the host's own record of what was added.
        installed: Every package that this resource added, dependencies included.
    """

    record: str
    installed: list[str] = field(default_factory=list[str])


class Packages(Resource[PackagesInputs, PackagesState]):
    """Install missing packages, and purge exactly what was added when deleted."""

    token = "Packages"
    inputs = PackagesInputs
    state = PackagesState

    def identity(self, inputs: PackagesInputs) -> str:
        return record_name(inputs.names)

    def check(self, inputs: PackagesInputs) -> list[InputError]:
        return [_bad_name(name) for name in inputs.names if not name or not ALLOWED.issuperset(name)]

    def begun(self, inputs: PackagesInputs) -> PackagesState:
        return PackagesState(host=inputs.host, names=inputs.names, record=record_name(inputs.names))

    async def read(self, host: Host, state: PackagesState) -> PackagesState | None:
        report = await host.read("packages-read", NAMES="\n".join(state.names))
        there = set(report.all("installed"))
        return replace(state, names=[name for name in state.names if name in there])

    async def create(self, host: Host, inputs: PackagesInputs) -> PackagesState:
        return await self._install(host, inputs, record_name(inputs.names))

    async def update(self, host: Host, state: PackagesState, inputs: PackagesInputs) -> PackagesState:
        dropped = [name for name in state.names if name not in inputs.names]
        if dropped:
            await _purge(host, state.record, dropped)
        return await self._install(host, inputs, state.record)

    async def delete(self, host: Host, state: PackagesState) -> None:
        report = await _purge(host, state.record, [])
        kept = ", ".join(report.all("kept"))
        if kept:
            await host.log.warn(f"{host.address}: kept, because something else on the host needs them now: {kept}")

    async def _install(self, host: Host, inputs: PackagesInputs, record: str) -> PackagesState:
        async with host.lock("apt"):
            names = "\n".join(inputs.names)
            report = await host.change("packages-install", timeout_seconds=APT_SECONDS, RECORD_NAME=record, NAMES=names)
        return PackagesState(host=inputs.host, names=inputs.names, record=record, installed=sorted(report.all("added")))


def record_name(names: list[str]) -> str:
    """Return a short name that the same packages always have, so that a broken run finds its record again."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:12]


async def _purge(host: Host, record: str, names: list[str]) -> Report:
    async with host.lock("apt"):
        wanted = "\n".join(names)
        return await host.change("packages-purge", timeout_seconds=APT_SECONDS, RECORD_NAME=record, NAMES=wanted)


def _bad_name(name: str) -> InputError:
    return InputError(
        "names",
        f"{name!r} is not the name of a Debian package",
        "apt would take it for something else.",
        "Use the name as `apt-cache search` shows it, in lower case and without a version.",
    )

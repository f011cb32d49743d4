"""A systemd unit: its file, whether it starts with the host, whether it runs."""

import re
from dataclasses import dataclass, field, replace

from edgehost.errors import InputError
from edgehost.host import Host
from edgehost.report import Report
from edgehost.resource import HostInputs, Resource

FOLDER = "/etc/systemd/system"
NAME = re.compile(r"[a-zA-Z0-9:_.@-]+\.(service|socket|timer|mount|path|target|slice)")
# On top of the start itself: writing, reloading, reading the journal.
MARGIN_SECONDS = 60


@dataclass(frozen=True, kw_only=True)
class UnitInputs(HostInputs):
    """Describe a unit.

    Attributes:
        unit_name: Its name with the ending.
        content: The unit file's text; None means a unit that a package carries.
        enabled: Whether it starts with the host; None leaves that to others.
        active: Whether it runs now; None leaves that to others.
        restart_on: Hashes of what the unit reads at its start; a change of any restarts it.
        start_timeout_seconds: How long a start may take.
    """

    unit_name: str
    content: str | None = None
    enabled: bool | None = None
    active: bool | None = None
    restart_on: dict[str, str] = field(default_factory=dict[str, str])
    start_timeout_seconds: int = 180


class Unit(Resource[UnitInputs, UnitInputs]):
    """Install, enable and start a unit, and undo all of it when deleted."""

    token = "Unit"
    inputs = UnitInputs
    state = UnitInputs
    replace_on = frozenset({"unitName"})
    not_compared = frozenset({"startTimeoutSeconds"})

    def identity(self, inputs: UnitInputs) -> str:
        return inputs.unit_name

    def check(self, inputs: UnitInputs) -> list[InputError]:
        return [] if NAME.fullmatch(inputs.unit_name) else [_bad_name(inputs.unit_name)]

    async def read(self, host: Host, state: UnitInputs) -> UnitInputs | None:
        report = await host.read("unit-read", UNIT=state.unit_name, UNIT_PATH=unit_path(state))
        return _found(state, report)

    async def create(self, host: Host, inputs: UnitInputs) -> UnitInputs:
        return await self._apply(host, inputs, restart=False)

    async def update(self, host: Host, state: UnitInputs, inputs: UnitInputs) -> UnitInputs:
        changed = state.content != inputs.content or state.restart_on != inputs.restart_on
        return await self._apply(host, inputs, restart=changed)

    async def delete(self, host: Host, state: UnitInputs) -> None:
        has_content = flag_text(state.content is not None)
        await host.change("unit-delete", UNIT=state.unit_name, UNIT_PATH=unit_path(state), HAS_CONTENT=has_content)

    async def _apply(self, host: Host, inputs: UnitInputs, *, restart: bool) -> UnitInputs:
        await host.change(
            "unit-apply",
            timeout_seconds=inputs.start_timeout_seconds + MARGIN_SECONDS,
            UNIT=inputs.unit_name,
            UNIT_PATH=unit_path(inputs),
            HAS_CONTENT=flag_text(inputs.content is not None),
            CONTENT=inputs.content or "",
            ENABLED=flag_text(inputs.enabled),
            ACTIVE=flag_text(inputs.active),
            RESTART=flag_text(restart),
            SECONDS_ALLOWED=str(inputs.start_timeout_seconds),
        )
        return inputs


def unit_path(inputs: UnitInputs) -> str:
    """Return where the unit's file is."""
    return f"{FOLDER}/{inputs.unit_name}"


def flag_text(value: bool | None) -> str:
    """Return a flag as the scripts read it; nothing means: leave it alone."""
    return "" if value is None else str(value).lower()


def _found(state: UnitInputs, report: Report) -> UnitInputs:
    """Return the unit as found; what is left to others is not looked at."""
    return replace(
        state,
        content=None if state.content is None else report.text("content"),
        enabled=None if state.enabled is None else report.flag("enabled"),
        active=None if state.active is None else report.flag("active"),
    )


def _bad_name(name: str) -> InputError:
    return InputError(
        "unitName",
        f"{name!r} is not the name of a systemd unit",
        "systemd would not find its file.",
        "Give the name with its ending, for example k3s.service.",
    )

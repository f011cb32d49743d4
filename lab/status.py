"""Show what of an instance is there."""

from lab import readiness
from lab.host import Host
from lab.instance import Instance

_COLUMNS = ("HOST", "ADDRESS", "STATE", "PROFILE", "CPUS", "MEMORY MiB", "IMAGE")


def table(instance: Instance) -> str:
    """Return one line per host: address, whether it answers, its limits and what it was made from."""
    rows = [_COLUMNS, *(_row(host) for host in instance.hosts), _gateway_row(instance)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def all_up(instance: Instance) -> bool:
    """Say whether every host and the gateway answer."""
    return instance.gateway.answers() and all(_state(host) == "up" for host in instance.hosts)


def _row(host: Host) -> tuple[str, ...]:
    plan = host.plan
    limits = (f"{plan.limits.cpus:g}", str(plan.limits.memory_mib))
    return (plan.name, str(plan.address), _state(host), plan.profile, *limits, host.root_image.name)


def _gateway_row(instance: Instance) -> tuple[str, ...]:
    state = "up" if instance.gateway.answers() else "off"
    return ("gateway", str(instance.network.gateway), state, "-", "-", "-", instance.gateway.mirror_url)


def _state(host: Host) -> str:
    if not host.running():
        return "off"
    return "up" if readiness.answers(host) else "silent"

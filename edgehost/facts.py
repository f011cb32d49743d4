"""What a host tells about itself before anything is changed on it; never stored."""

import time

from edgehost.errors import EdgehostError
from edgehost.host import Host
from edgehost.host_facts import HostFacts
from edgehost.report import Report

# The machine names of `uname -m`; a 64-bit kernel under a 32-bit userland runs 32-bit programs.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "armv6l": "armhf", "armv8l": "armhf"}
NARROW = {"arm64": "armhf", "amd64": "i386"}


async def read_facts(host: Host) -> HostFacts:
    """Return what a host is; a host that cannot be entered is a fact as well, not an error."""
    try:
        await host.enter()
        before = time.time()
        report = await host.read("facts")
        after = time.time()
    except EdgehostError as error:
        return HostFacts(reachable=False, error=str(error))
    return _facts(report, (before + after) / 2)


def _facts(report: Report, asked_at: float) -> HostFacts:
    return HostFacts(
        reachable=True,
        architecture=architecture(report.one("machine"), report.one("user-bits")),
        os_name=report.one("os-name"),
        kernel=report.one("kernel"),
        hostname=report.one("hostname"),
        model=report.one("model"),
        memory_mib=int(report.one("memory-mib", "0")),
        disk_free_mib=int(report.one("disk-free-mib", "0")),
        cpu_count=int(report.one("cpu-count", "0")),
        clock_offset_seconds=round(float(report.one("now", "0")) - asked_at, 3),
        root=True,
        apt=report.flag("apt"),
        systemd=report.flag("systemd"),
        swap=report.all("swap"),
        controllers=report.all("controller"),
    )


def architecture(machine: str, user_bits: str) -> str:
    """Return Debian's name of the architecture that programs on the host must have.

    Args:
        machine: What `uname -m` says.
        user_bits: What `getconf LONG_BIT` says: "32", "64" or nothing.
    """
    name = ARCHITECTURES.get(machine, machine)
    return NARROW.get(name, name) if user_bits == "32" else name

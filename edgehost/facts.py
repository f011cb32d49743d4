"""What a host tells about itself before anything is changed on it; never stored."""

import time
from ipaddress import IPv4Address, IPv4Network

from edgehost.errors import EdgehostError
from edgehost.host import Host
from edgehost.host_facts import HostFacts, HostNetwork
from edgehost.report import Report

# The machine names of `uname -m`; a 64-bit kernel under a 32-bit userland runs 32-bit programs.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "armhf", "armv6l": "armhf", "armv8l": "armhf"}
NARROW = {"arm64": "armhf", "amd64": "i386"}
# A default route is for all addresses; some VPNs write it in two halves. Neither says where a network lies.
SMALLEST_PREFIX = 2
# The kernel writes this in place of an interface where a route only refuses.
NO_INTERFACE = "*"


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
        networks=networks(report.all("route")),
    )


def architecture(machine: str, user_bits: str) -> str:
    """Return Debian's name of the architecture that programs on the host must have.

    Args:
        machine: What `uname -m` says.
        user_bits: What `getconf LONG_BIT` says: "32", "64" or nothing.
    """
    name = ARCHITECTURES.get(machine, machine)
    return NARROW.get(name, name) if user_bits == "32" else name


def networks(routes: list[str]) -> list[HostNetwork]:
    """Return the networks that a host's routes lead to, each once.

    Args:
        routes: Interface, destination and mask as /proc/net/route has them: addresses in hexadecimal, least byte first,
            which is the order of every architecture that hosts may have.
    """
    found: dict[HostNetwork, None] = {}
    for interface, destination, mask in (route.split() for route in routes):
        network = IPv4Network((_address(destination), str(_address(mask))))
        if network.prefixlen >= SMALLEST_PREFIX and interface != NO_INTERFACE:
            found[HostNetwork(network=str(network), interface=interface)] = None
    return list(found)


def _address(hexadecimal: str) -> IPv4Address:
    return IPv4Address(int(hexadecimal, 16).to_bytes(4, "little"))

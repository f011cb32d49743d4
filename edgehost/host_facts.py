"""What a host tells about itself, in the form that the program sees."""

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class HostNetwork:
    """Hold a network that a host is attached to or has a route to.

    Attributes:
        network: Its IPv4 addresses, such as 10.99.0.0/24.
        interface: The interface behind which it lies.
    """

    network: str
    interface: str


@dataclass(frozen=True, kw_only=True)
class HostFacts:
    """Hold what a host is.

    Attributes:
        reachable: Whether the host was entered as root; when not, only `error` means something.
        error: Why it was not, in words for a person.
        architecture: amd64, arm64, armhf, or what the kernel calls it.
        os_name: The distribution's name and version.
        kernel: The kernel's release.
        hostname: What the host calls itself.
        model: The board's name, where the host has one.
        memory_mib: Memory in MiB.
        disk_free_mib: Free space under /var in MiB.
        cpu_count: Processors that the host may use.
        clock_offset_seconds: How far the host's clock is ahead of ours.
        root: Whether steps run as root.
        apt: Whether the host has apt.
        systemd: Whether systemd runs as its init.
        swap: Active swap areas.
        controllers: Active cgroup controllers.
        networks: IPv4 networks that it is attached to or has a route to; the default route is none.
    """

    reachable: bool
    error: str = ""
    architecture: str = ""
    os_name: str = ""
    kernel: str = ""
    hostname: str = ""
    model: str = ""
    memory_mib: int = 0
    disk_free_mib: int = 0
    cpu_count: int = 0
    clock_offset_seconds: float = 0.0
    root: bool = False
    apt: bool = False
    systemd: bool = False
    swap: list[str] = field(default_factory=list[str])
    controllers: list[str] = field(default_factory=list[str])
    networks: list[HostNetwork] = field(default_factory=list[HostNetwork])

"""What the lab asks of a host, whatever kind it is of."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import ClassVar, Protocol

from lab.cgroup import ControlGroup, Limits
from lab.errors import HostError
from lab.identity import HostFile
from lab.image import Image
from lab.network import Network


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """Everything that makes a host what it is."""

    name: str
    address: IPv4Address
    profile: str
    architecture: str
    limits: Limits
    image: Image
    network: Network
    folder: Path
    """Its own folder in the instance's; all that the host writes is in there."""
    identity: dict[str, HostFile]
    """Files of its own by path, written before its first boot."""

    @property
    def group(self) -> ControlGroup:
        """The control group of all its processes."""
        return ControlGroup(f"{self.network.instance}/{self.name}")


class RootImage(Protocol):
    """What hosts start from; equal ones are built once."""

    @property
    def name(self) -> str:
        """What it is called in progress and errors."""
        ...

    def build(self, apt_proxy: str, group: ControlGroup) -> None:
        """Build it into the cache; nothing happens where it is there."""
        ...


class Host(ABC):
    """A host of the lab: one kind is one file, and the rest of the lab knows this class only."""

    kind: ClassVar[str]
    """What it is called in a lab's definition."""
    boot_seconds: ClassVar[float] = 120
    """Time in which it has to be up."""
    greeting_seconds: ClassVar[float] = 1
    """Time in which a host that is up greets over SSH."""

    def __init__(self, plan: HostPlan) -> None:
        self.plan = plan

    @property
    @abstractmethod
    def root_image(self) -> RootImage:
        """Return what it starts from."""

    @classmethod
    @abstractmethod
    def programs(cls, architecture: str) -> dict[str, str]:
        """Return the programs of this machine that such hosts need, each with its Debian package."""

    @abstractmethod
    def create(self) -> None:
        """Make its disk, bare; nothing happens where it is there."""

    @abstractmethod
    def boot(self) -> None:
        """Start it and return before it answers.

        Raises:
            HostError: It is running already.
        """

    def running(self) -> bool:
        """Say whether its control group holds any process."""
        return bool(self.plan.group.processes())

    @abstractmethod
    def kill(self) -> None:
        """Take its power away: no process and no network of it is left.

        Raises:
            HostError: A process of it does not end.
        """

    @abstractmethod
    def wipe(self) -> None:
        """Remove its disk; the host must not run."""

    def require_off(self) -> None:
        """Refuse to go on while it runs.

        Raises:
            HostError: A process of it is there.
        """
        if self.running():
            raise HostError(
                f"host {self.plan.name}",
                "processes of it are still running",
                "two boots of one disk corrupt each other's files",
                f"python -m lab pristine {self.plan.name}, or python -m lab down",
            )

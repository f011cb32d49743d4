"""What the lab asks of a host, whatever kind it is of."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from lab.cgroup import ControlGroup, Limits
from lab.identity import HostFile
from lab.image import Image
from lab.network import Network


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """Everything that makes a host what it is."""

    name: str
    address: IPv4Address
    profile: str
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


class Host(ABC):
    """A host of the lab: one kind is one file, and the rest of the lab knows this class only."""

    def __init__(self, plan: HostPlan) -> None:
        self.plan = plan

    @abstractmethod
    def create(self) -> None:
        """Make its disk, bare; nothing happens where it is there."""

    @abstractmethod
    def boot(self) -> None:
        """Start it and return before it answers.

        Raises:
            HostError: It is running already.
        """

    @abstractmethod
    def running(self) -> bool:
        """Say whether any process of it is there."""

    @abstractmethod
    def kill(self) -> None:
        """Take its power away: no process and no network of it is left.

        Raises:
            HostError: A process of it does not end.
        """

    @abstractmethod
    def wipe(self) -> None:
        """Remove its disk; the host must not run."""

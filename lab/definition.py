"""What a lab is made of: its hosts and their sizes, from a YAML file."""

from collections import Counter
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from lab import architecture
from lab.errors import DefinitionError
from lab.paths import ROOM

EDGE_LAB = ROOM / "edge-lab.yaml"

# Names of folders, namespaces and groups are made of it, and people read them.
InstanceName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,23}$")]
# Interface names have at most 15 characters, and "v1a2b-" stands before it (network.py).
HostName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,8}$")]


def _kebab(name: str) -> str:
    return name.replace("_", "-")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_kebab, populate_by_name=True)


class Profile(_Frozen):
    """How large a host is."""

    cpus: Annotated[float, Field(gt=0)]
    """CPUs of this machine that the host may use at once; more than there are mean all."""
    memory_mib: Annotated[int, Field(ge=128)]
    """Memory of all its processes together."""


class HostDefinition(_Frozen):
    """One host of a lab."""

    name: HostName
    number: Annotated[int, Field(ge=2)]
    """Its address' place in the instance's network; 1 is the gateway."""
    profile: str
    image: Literal["base", "store"] = "base"
    """The root tree it starts from: a bare host, or one that exports /export/models over NFS."""
    kind: Literal["container", "vm"] = "container"
    """A container shares this machine's kernel and is up in seconds; a virtual machine has Debian's own."""
    architecture: Literal["amd64", "arm64"] = Field(default_factory=architecture.own, validate_default=True)
    """Of its processor; another one than this machine's needs a virtual machine."""


class LabDefinition(_Frozen):
    """All hosts of a lab and the network they stand in by default."""

    network: IPv4Network
    profiles: dict[str, Profile]
    hosts: Annotated[tuple[HostDefinition, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = [*_twice("name", [h.name for h in self.hosts]), *_twice("number", [h.number for h in self.hosts])]
        for host in self.hosts:
            if host.profile not in self.profiles:
                problems.append(f"hosts > {host.name} > profile: there is no profile {host.profile!r}")
            if host.number >= self.network.num_addresses - 1:
                problems.append(f"hosts > {host.name} > number: {host.number} is outside of {self.network}")
            problems += _impossible(host)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def address(self, host: HostDefinition) -> IPv4Address:
        """Return the address of one of the lab's hosts."""
        return self.network.network_address + host.number

    def profile(self, host: HostDefinition) -> Profile:
        """Return the size of one of the lab's hosts."""
        return self.profiles[host.profile]


def _impossible(host: HostDefinition) -> list[str]:
    own = architecture.own()
    if host.kind == "container" and host.architecture != own:
        return [f"hosts > {host.name} > architecture: containers run {own} here; for {host.architecture} add kind: vm"]
    if host.kind == "vm" and host.image != "base":
        return [f"hosts > {host.name} > image: a virtual machine has no image {host.image!r}; use kind: container"]
    return []


def _twice(what: str, values: Iterable[object]) -> list[str]:
    return [f"hosts: the {what} {value} is there twice" for value, count in Counter(values).items() if count > 1]


def load(file: Path = EDGE_LAB, network: str | None = None) -> LabDefinition:
    """Read a lab's definition.

    Args:
        file: The YAML file.
        network: A network to stand in instead of the file's, such as `10.98.7.0/24`.

    Raises:
        DefinitionError: The file is not there, or is not a definition; all problems together.
    """
    try:
        content = yaml.safe_load(file.read_text())
        if network is not None and isinstance(content, dict):
            content["network"] = network
        return LabDefinition.model_validate(content)
    except OSError as error:
        raise _refuse(file, f"cannot be read ({error.strerror})") from error
    except yaml.YAMLError as error:
        raise _refuse(file, f"is not YAML: {error}") from error
    except ValidationError as error:
        raise _refuse(file, "\n    ".join(_problem(p["loc"], p["msg"]) for p in error.errors())) from error


def _problem(where: "tuple[int | str, ...]", what: str) -> str:
    path = " > ".join(str(part) for part in where)
    return f"{path}: {what}" if path else what


def _refuse(file: Path, found: str) -> DefinitionError:
    return DefinitionError(str(file), found, "no host was started", f"compare it with {EDGE_LAB}")

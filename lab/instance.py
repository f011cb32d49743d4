"""One lab among several on this machine: its folder, its owner, its hosts."""

import json
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from lab.cgroup import ControlGroup, Limits
from lab.container import ContainerHost
from lab.definition import HostDefinition, InstanceName, LabDefinition
from lab.errors import DefinitionError, InstanceError
from lab.gateway.service import Gateway
from lab.host import Host, HostPlan
from lab.identity import identity
from lab.image import IMAGES
from lab.keys import Keys
from lab.network import Network
from lab.paths import CHECKOUT, STATE
from lab.vm import VmHost

DEFAULT = "edge-lab"
_KINDS: dict[str, type[Host]] = {kind.kind: kind for kind in (ContainerHost, VmHost)}


@dataclass(frozen=True)
class InstanceFolder:
    """What is known of an instance by its name alone."""

    name: str

    def __post_init__(self) -> None:
        try:
            TypeAdapter(InstanceName).validate_python(self.name)
        except ValidationError as error:
            raise DefinitionError(
                f"--name {self.name}",
                "is not a name for an instance: 1 to 24 lower-case letters, digits and dashes",
                "folders, namespaces and control groups of this machine are called after it",
                "choose another: python -m lab up --name edge-lab",
            ) from error

    @property
    def path(self) -> Path:
        """The instance's folder."""
        return STATE / self.name

    @property
    def group(self) -> ControlGroup:
        """The control group of all its processes."""
        return ControlGroup(self.name)

    @property
    def keys(self) -> Keys:
        """Its keys."""
        return Keys(self.path)

    def owner(self) -> Path | None:
        """Return the checkout that started it, if it is there."""
        file = self.path / "owner"
        return Path(file.read_text().strip()) if file.exists() else None

    def refuse_other_owner(self) -> None:
        """Let only the checkout that started an instance change it; an owner that is gone forbids nothing.

        Raises:
            InstanceError: Another checkout started it.
        """
        owner = self.owner()
        if owner is None or owner == CHECKOUT or not owner.is_dir():
            return
        raise InstanceError(
            f"lab {self.name}",
            f"belongs to the checkout {owner}",
            "its hosts carry that checkout's site, and changing them would break it",
            f"start one of your own: python -m lab up --name NAME --network 10.98.7.0/24; or use it from {owner}",
        )

    def definition(self) -> LabDefinition:
        """Return what the instance was started with.

        Raises:
            InstanceError: It is not up.
        """
        try:
            return LabDefinition.model_validate_json(self._definition_file.read_text())
        except OSError as error:
            remedy = "python -m lab up" + ("" if self.name == DEFAULT else f" --name {self.name} --network NETWORK")
            raise InstanceError(f"lab {self.name}", "is not up", "there is no host to work with", remedy) from error
        except ValidationError as error:
            raise InstanceError(
                f"lab {self.name}",
                f"{self._definition_file} was written by another version of this program",
                "this version cannot tell what its hosts are",
                f"python -m lab down --name {self.name}, then up again",
            ) from error

    def exists(self) -> bool:
        """Say whether it has been started, and not taken down since."""
        return self._definition_file.exists()

    @property
    def _definition_file(self) -> Path:
        return self.path / "definition.json"


@dataclass(frozen=True)
class Instance:
    """An instance with all that its definition says."""

    folder: InstanceFolder
    definition: LabDefinition

    @property
    def network(self) -> Network:
        """Its network."""
        return Network(instance=self.folder.name, subnet=self.definition.network)

    @property
    def gateway(self) -> Gateway:
        """Its mirror and apt cache."""
        return Gateway(network=self.network, log=self.folder.path / "gateway.log")

    @cached_property
    def hosts(self) -> tuple[Host, ...]:
        """Its hosts; the keys must be made."""
        return tuple(_KINDS[host.kind](self._plan(host)) for host in self.definition.hosts)

    def host(self, name: str) -> Host:
        """Return one of its hosts.

        Raises:
            InstanceError: There is none of this name.
        """
        for host in self.hosts:
            if host.plan.name == name:
                return host
        names = ", ".join(host.name for host in self.definition.hosts)
        raise InstanceError(
            f"lab {self.folder.name}", f"has no host {name!r}", "nothing was done", f"name one of: {names}"
        )

    def programs(self) -> dict[str, str]:
        """Return the programs of this machine that the kinds of its hosts need, each with its Debian package."""
        needed = [_KINDS[host.kind].programs(host.architecture) for host in self.definition.hosts]
        return {program: package for programs in needed for program, package in programs.items()}

    def addresses(self) -> dict[str, IPv4Address]:
        """Return the address of every host by its name."""
        return {host.name: self.definition.address(host) for host in self.definition.hosts}

    def write(self) -> None:
        """Write the instance's folder: owner, definition, keys, and the facts that others read (`lab.json`)."""
        path = self.folder.path
        (path / "owner").write_text(f"{CHECKOUT}\n")
        (path / "definition.json").write_text(self.definition.model_dump_json(indent=2, by_alias=True))
        self.folder.keys.create(self.addresses())
        (path / "lab.json").write_text(json.dumps(self._facts(), indent=2) + "\n")

    def _plan(self, host: HostDefinition) -> HostPlan:
        profile = self.definition.profile(host)
        return HostPlan(
            name=host.name,
            address=self.definition.address(host),
            profile=host.profile,
            architecture=host.architecture,
            limits=Limits(cpus=profile.cpus, memory_mib=profile.memory_mib),
            image=IMAGES[host.image],
            network=self.network,
            folder=self.folder.path / "hosts" / host.name,
            identity=identity(
                host.name, self.addresses(), self.network.gateway, self.gateway.apt_proxy, self.folder.keys
            ),
        )

    def _facts(self) -> dict[str, object]:
        keys = self.folder.keys
        return {
            "name": self.folder.name,
            "owner": str(CHECKOUT),
            "network": str(self.network.subnet),
            "gateway": str(self.network.gateway),
            "mirror": self.gateway.mirror_url,
            "apt-proxy": self.gateway.apt_proxy,
            "user": "root",
            "private-key-file": str(keys.private_key_file),
            "known-hosts-file": str(keys.known_hosts_file),
            "hosts": [self._host_facts(host) for host in self.definition.hosts],
        }

    def _host_facts(self, host: HostDefinition) -> dict[str, object]:
        return {
            "name": host.name,
            "address": str(self.definition.address(host)),
            "kind": host.kind,
            "architecture": host.architecture,
            "image": host.image,
            "profile": host.profile,
            **self.definition.profile(host).model_dump(by_alias=True),
            "exports": ["/export/models"] if host.image == "store" else [],
        }

"""The network of an instance: a bridge, and a network namespace with one address for every host."""

import hashlib
import json
import shlex
import subprocess
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

from lab.command import run
from lab.errors import InstanceError

_SHORT = 11
_NAMESPACES = Path("/run/netns")
_BRIDGED_FRAMES = Path("/proc/sys/net/bridge/bridge-nf-call-iptables")


@dataclass(frozen=True, kw_only=True)
class Network:
    """The network of one instance; every name in it can be told from the instance's name alone."""

    instance: str
    subnet: IPv4Network

    @property
    def bridge(self) -> str:
        """The bridge's name: `lab-` and the instance, or as much of it as fits."""
        return bridge_name(self.instance)

    @property
    def gateway(self) -> IPv4Address:
        """This machine's own address on the bridge, the first of the network."""
        return self.subnet.network_address + 1

    def namespace(self, host: str) -> str:
        """Return the name of a host's network namespace."""
        return f"{_namespace_prefix(self.instance)}{host}"

    def up(self) -> None:
        """Make the bridge with the gateway's address; nothing happens where it is there.

        Raises:
            InstanceError: Another interface of this machine is in the same network.
        """
        if self.bridge not in _links():
            self._refuse_overlap()
            _ip("link", "add", self.bridge, "type", "bridge")
        _ip("address", "replace", f"{self.gateway}/{self.subnet.prefixlen}", "dev", self.bridge)
        _ip("link", "set", self.bridge, "up")
        self._let_hosts_talk()

    def attach(self, host: str, address: IPv4Address) -> None:
        """Make a fresh network namespace for a host with its address on the bridge."""
        namespace, port = self.namespace(host), self.port(host)
        # The kernel clears a namespace away some time after its removal; its end of the bridge goes at once this way.
        _remove_links({port})
        _remove_namespace(namespace)
        _ip("netns", "add", namespace)
        # One command, so that the port can never be there without the namespace that takes it away again.
        _ip(
            "link",
            "add",
            port,
            "master",
            self.bridge,
            "type",
            "veth",
            "peer",
            "name",
            "eth0",
            "address",
            self.mac(address),
            "netns",
            namespace,
        )
        _ip("link", "set", port, "up")
        _ip("-n", namespace, "address", "add", f"{address}/{self.subnet.prefixlen}", "dev", "eth0")
        _ip("-n", namespace, "link", "set", "lo", "up")
        _ip("-n", namespace, "link", "set", "eth0", "up")
        _ip("-n", namespace, "route", "add", "default", "via", str(self.gateway))

    def port(self, host: str) -> str:
        """Return the name of a host's port of the bridge."""
        return f"v{hashlib.sha256(self.instance.encode()).hexdigest()[:4]}-{host}"

    @staticmethod
    def mac(address: IPv4Address) -> str:
        """Return the hardware address of the host with an address; it is of the range for private use."""
        return "02:4b:" + ":".join(f"{byte:02x}" for byte in address.packed)

    def _refuse_overlap(self) -> None:
        for link in json.loads(_ip("-json", "address")):
            for entry in link.get("addr_info", ()):
                taken = (
                    IPv4Network(f"{entry['local']}/{entry['prefixlen']}", strict=False)
                    if entry["family"] == "inet"
                    else None
                )
                if taken is not None and taken.overlaps(self.subnet):
                    raise InstanceError(
                        f"lab {self.instance}",
                        f"the network {self.subnet} is in use by {link['ifname']} ({taken})",
                        "packets for the lab's hosts would go to the wrong place",
                        "choose a free one: python -m lab up --name NAME --network 10.98.7.0/24",
                    )

    def _let_hosts_talk(self) -> None:
        """Accept frames between hosts where this machine filters bridged frames and forwards nothing by default."""
        if not _BRIDGED_FRAMES.exists() or _BRIDGED_FRAMES.read_text().strip() == "0":
            return
        rules = _iptables("-S", "FORWARD").splitlines()
        if "-P FORWARD ACCEPT" in rules or any(_comment(self.instance) in shlex.split(rule) for rule in rules):
            return
        rule = (
            "-i",
            self.bridge,
            "-o",
            self.bridge,
            "-m",
            "comment",
            "--comment",
            _comment(self.instance),
            "-j",
            "ACCEPT",
        )
        _iptables("-I", "FORWARD", *rule)


def bridge_name(instance: str) -> str:
    """Return the name of an instance's bridge; the kernel takes at most 15 characters."""
    if len(instance) <= _SHORT:
        return f"lab-{instance}"
    # A dot can be in no instance's name, so that no other bridge has this one's.
    return f"lab-{instance[: _SHORT - 5]}.{hashlib.sha256(instance.encode()).hexdigest()[:4]}"


def namespaces(instance: str) -> list[str]:
    """Return the names of an instance's network namespaces that are there."""
    return sorted(path.name for path in _NAMESPACES.glob(f"{_namespace_prefix(instance)}*"))


def remove(instance: str) -> None:
    """Remove the bridge, the namespaces and the firewall rule of an instance, as far as they are there."""
    bridge = bridge_name(instance)
    _remove_links({name for name, link in _links().items() if link.get("master") == bridge})
    for namespace in namespaces(instance):
        _remove_namespace(namespace)
    _remove_links({bridge})
    for rule in _iptables("-S", "FORWARD").splitlines():
        words = shlex.split(rule)
        if _comment(instance) in words:
            _iptables("-D", *words[1:])


def _namespace_prefix(instance: str) -> str:
    # A dot can be in no instance's name, so `edge` never takes what is of `edge-lab`.
    return f"lab.{instance}."


def _comment(instance: str) -> str:
    return f"kubevc-lab.{instance}"


def _links() -> dict[str, dict[str, Any]]:
    return {link["ifname"]: link for link in json.loads(_ip("-json", "link"))}


def _remove_links(names: set[str]) -> None:
    for name in names & _links().keys():
        _ip("link", "delete", name)


def _remove_namespace(name: str) -> None:
    if (_NAMESPACES / name).exists():
        _ip("netns", "delete", name)


def _ip(*args: str) -> str:
    return run(["ip", *args], why="the hosts have no network without it")


def _iptables(*args: str) -> str:
    """Run iptables; a machine without it filters nothing, so there is nothing to read or change."""
    try:
        return subprocess.run(["iptables", "--wait", *args], text=True, capture_output=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError):
        return ""

"""Three hosts of the lab's network, without their systems: sender, endpoint and node, each behind a limited link.

A host is a network namespace on a bridge of the lab's (`lab/network.py`); what it sends goes through a token bucket
(tc-tbf), so that every host has a link of the rate in both directions, like a port of a switch. Names and addresses are
an instance's of its own, which takes nothing from a lab that is up.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from experiments.process import read_line, run, started
from lab import network

SENDER, ENDPOINT, NODE = "sender", "endpoint", "node"
_HOSTS = (SENDER, ENDPOINT, NODE)
_INSTANCE, _SUBNET = "figure7", IPv4Network("10.99.67.0/24")
_BURST = "128kb"
"""More than one segment of 64 kB that the kernel hands over at once, and a millisecond of a gigabit."""
_QUEUE = "50ms"
CHECKED_BYTES = 128 << 20


@dataclass(frozen=True)
class LimitedNetwork:
    """Hosts that stand."""

    rate: str

    def address(self, host: str) -> IPv4Address:
        """Return a host's address."""
        return _SUBNET.network_address + 11 + _HOSTS.index(host)

    def on(self, host: str) -> list[str]:
        """Return the words before a command that make it run on a host."""
        return ["ip", "netns", "exec", _network().namespace(host)]

    def megabytes_per_second(self) -> float:
        """Measure the link: send a large file of nothing from the node to the sender."""
        module = [sys.executable, "-m", "experiments.figure7.link_check"]
        with started([*module, "send"], prefix=self.on(NODE), stdout=-1) as process:
            port = read_line(process).decode().strip()
            seconds = run([*module, "receive", str(self.address(NODE)), port], prefix=self.on(SENDER))
        return CHECKED_BYTES / float(seconds) / 1e6


@contextmanager
def limited_network(rate: str) -> Iterator[LimitedNetwork]:
    """Make the hosts; nothing of them is left afterwards, nor of an earlier run that was killed.

    Args:
        rate: As tc writes it, such as `1gbit`.

    Raises:
        PermissionError: The process may not make network namespaces.
    """
    if os.geteuid():
        raise PermissionError("figure7: network namespaces need root; run it as root, like the lab")
    network.remove(_INSTANCE)
    limited = LimitedNetwork(rate)
    try:
        bridge = _network()
        bridge.up()
        for host in _HOSTS:
            bridge.attach(host, limited.address(host))
            limit = ["root", "tbf", "rate", rate, "burst", _BURST, "latency", _QUEUE]
            run(["tc", "qdisc", "add", "dev", "eth0", *limit], prefix=limited.on(host))
        yield limited
    finally:
        network.remove(_INSTANCE)


def _network() -> network.Network:
    return network.Network(instance=_INSTANCE, subnet=_SUBNET)

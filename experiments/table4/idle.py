"""Idle hosts: reading them again and again, and waiting until they are quiet."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from experiments.distributions import AGENT_HOST, SERVER_HOST
from experiments.paper import AGENT, COUNTED_IN_TABLE_4, SERVER
from experiments.table4.accounts import NOTHING, Use, pods, use
from experiments.table4.processes import Processes, cpu_seconds_between, named, processes, resident_bytes
from experiments.trial import Trial
from lab.cgroup import ControlGroup
from lab.instance import InstanceFolder

EVERY_SECONDS = 5.0
MEBIBYTE = 1 << 20
HOST, PODS, COUNTED = "whole host", "the site's pods", "the paper's processes"
PARTS = (HOST, PODS, COUNTED)
_OWN_NAMESPACES = "kube-"
"""How the names of the cluster's own namespaces begin; the site's pods are in the others."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a host's accounts said at one moment."""

    at: float
    """On the monotonic clock, in seconds."""
    host: Use
    pods: Use
    processes: Processes


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a host used between two readings, and held at the second."""

    second: float
    """Since the first reading."""
    cpu_percent: dict[str, float]
    """Per part, of one core."""
    memory_mib: dict[str, float]
    """Per part."""


@dataclass(frozen=True, kw_only=True)
class IdleHost:
    """A host of the lab, seen from this machine."""

    distribution: str
    role: str
    name: str
    cpus: float
    """What it may use at once."""
    folders: Sequence[Path]
    """Its control group in every hierarchy."""
    pods: Sequence[Sequence[Path]] = ()
    """The groups of the site's pods on it."""

    @property
    def node(self) -> str:
        """Return what the node is called in tables."""
        return f"{self.distribution} {self.role}"

    def read(self) -> Reading:
        """Read its accounts."""
        of_pods = sum((use(folders) for folders in self.pods), NOTHING)
        return Reading(at=time.monotonic(), host=use(self.folders), pods=of_pods, processes=processes(self._ids()))

    def _ids(self) -> Iterator[int]:
        # Every process is in every hierarchy, so one is enough.
        for place, _, _ in os.walk(self.folders[0]):
            with suppress(OSError):
                yield from map(int, Path(place, "cgroup.procs").read_text().split())


def hosts_of(trial: Trial, distribution: str, *, with_pods: bool) -> list[IdleHost]:
    """Return server and agent of a trial's lab.

    Args:
        trial: Its hosts are up.
        distribution: What its site is made of.
        with_pods: Whether a site is up on them, whose pods are told apart.
    """
    facts = json.loads((InstanceFolder(trial.name).path / "lab.json").read_text())
    cpus = {host["name"]: min(float(host["cpus"]), os.cpu_count() or 1) for host in facts["hosts"]}
    found: list[IdleHost] = []
    for role, name in ((SERVER, SERVER_HOST), (AGENT, AGENT_HOST)):
        folders = ControlGroup(f"{trial.name}/{name}").folders()
        uids = site_pods(trial.lab("exec", name, "--", "ls /var/log/pods").said) if with_pods else []
        found.append(
            IdleHost(
                distribution=distribution,
                role=role,
                name=name,
                cpus=cpus[name],
                folders=folders,
                pods=pods(folders, uids),
            )
        )
    return found


def site_pods(listing: str) -> list[str]:
    """Return the uids of the site's pods from the kubelet's folders of logs, `NAMESPACE_NAME_UID`."""
    names = [line.split("_") for line in listing.split()]
    return [uid for namespace, _, uid in names if not namespace.startswith(_OWN_NAMESPACES)]


def watch(hosts: Sequence[IdleHost], seconds: float, every: float = EVERY_SECONDS) -> dict[str, list[Reading]]:
    """Read hosts from now on until the time is over; return the readings per node."""
    begin = time.monotonic()
    found = {host.node: [host.read()] for host in hosts}
    for turn in range(1, int(seconds // every) + 1):
        time.sleep(max(0, begin + turn * every - time.monotonic()))
        for host in hosts:
            found[host.node].append(host.read())
    return found


def samples(readings: Sequence[Reading], host: IdleHost) -> list[Sample]:
    """Return what a host used between readings that follow each other."""
    names = COUNTED_IN_TABLE_4[host.distribution][host.role]
    found: list[Sample] = []
    for before, after in pairwise(readings):
        counted = named(after.processes, names)
        cpu = {
            HOST: after.host.cpu_seconds - before.host.cpu_seconds,
            PODS: after.pods.cpu_seconds - before.pods.cpu_seconds,
            COUNTED: cpu_seconds_between(before.processes, counted),
        }
        memory = {HOST: after.host.memory_bytes, PODS: after.pods.memory_bytes, COUNTED: resident_bytes(counted)}
        seconds = after.at - before.at
        sample = Sample(
            second=after.at - readings[0].at,
            cpu_percent={part: cpu[part] / seconds * 100 for part in PARTS},
            memory_mib={part: memory[part] / MEBIBYTE for part in PARTS},
        )
        found.append(sample)
    return found

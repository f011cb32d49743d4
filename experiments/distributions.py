"""The two distributions that a site can be made of: the labs that measurements bring up, and what ran in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from experiments.paper import K3S, KUBEADM
from experiments.trial import Trial

LABS = {K3S: "edge-lab", KUBEADM: "edge-lab-kubeadm"}
"""Per distribution the lab whose site is brought up; they differ in nothing else."""
SERVER_HOST, AGENT_HOST = "cp1", "edge1"
_NETWORK_PREFIXES = {K3S: "10.99.66.", KUBEADM: "10.99.67."}
"""Sites of both may be up at once."""


@contextmanager
def bare_hosts(distribution: str, purpose: str) -> Iterator[Trial]:
    """Have bare hosts and an empty stack for a site; nothing of them is left afterwards.

    Args:
        distribution: One of `LABS`.
        purpose: What begins the instance's name; at most three characters.
    """
    with TemporaryDirectory(prefix=f"kubevc-{purpose}-") as folder:
        name, prefix = f"{purpose}-{distribution}", _NETWORK_PREFIXES[distribution]
        trial = Trial(name, prefix, Path(folder), like=LABS[distribution])
        with trial.bare_hosts():
            yield trial


def in_turns(distributions: Iterable[str], repeats: int) -> Iterator[tuple[int, str]]:
    """Yield (number of the repeat, distribution), one distribution after the other.

    So a machine that grows slow in the course of hours is slow for both.
    """
    names = tuple(distributions)
    return ((number, name) for number in range(1, repeats + 1) for name in names)


def versions_of(trial: Trial) -> dict[str, str]:
    """Return what a site that is up was made of and by: Kubernetes, container runtime, engine."""
    outputs = json.loads(trial.pulumi("stack output", "--json").said)
    return {
        "kubernetes": outputs["versions"]["kubernetes"],
        "containerd": trial.lab("exec", SERVER_HOST, "--", "containerd --version").said.split()[2],
        "engine": trial.run(["pulumi", "version"], 0).said.strip(),
    }

"""What `python -m toolchain setup --lab` makes beside the engine, in order.

A step knows whether its result is already in the cache, which must cost milliseconds, and how to make it. A new kind
of lab artifact is one new module with its steps, named in `lab_steps`.
"""

from collections.abc import Sequence
from typing import Protocol

from toolchain import binaries, images, models


class Step(Protocol):
    """One piece of work of the set-up."""

    @property
    def name(self) -> str:
        """Say what is made, in words, such as `k3s v1.26.2+k3s1 for amd64`."""
        ...

    def is_done(self) -> bool:
        """Say whether the result is in the cache and current. Cheap: no network, no hashing of large files."""
        ...

    def run(self) -> None:
        """Make the result. Print progress; leave nothing half made behind.

        Raises:
            ToolchainError: It cannot be made; the text says what to do.
        """
        ...


def lab_steps(architectures: Sequence[str], *, kubeadm: bool = True) -> tuple[Step, ...]:
    """Return the steps of the lab's artifacts: what a k3s site needs, then what a kubeadm site needs beside that.

    Args:
        architectures: Those of the lab's hosts; models are the same for all of them.
        kubeadm: Whether there are kubeadm sites.
    """
    steps: list[Step] = [step for name in architectures for step in (*binaries.steps(name), *images.steps(name))]
    steps += models.STEPS
    if kubeadm:
        steps += [step for name in architectures for step in binaries.kubeadm_steps(name)]
        steps += [step for name in architectures for step in images.kubeadm_steps(name)]
    return tuple(steps)


def earlier_kubernetes_steps(architectures: Sequence[str]) -> tuple[Step, ...]:
    """Return the steps of what a kubeadm site needs to begin with the version of Kubernetes before the lab's.

    They are none of `lab_steps`, because only the test of an upgrade is worth their minutes.
    """
    return tuple(
        step
        for name in architectures
        for step in (*binaries.earlier_kubernetes_steps(name), *images.earlier_kubernetes_steps(name))
    )

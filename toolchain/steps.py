"""What `python -m toolchain setup` does, in order.

A step knows whether its result is already in the cache, which must cost milliseconds, and how to make it.
The engine's steps run always. The lab's steps come from the modules named in `LAB_SOURCES`, each of which
holds a tuple `STEPS`; a new kind of lab artifact is one new module there and its name here.
"""

import importlib
from typing import Protocol

LAB_SOURCES = ("toolchain.binaries", "toolchain.images", "toolchain.models")


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


def lab_steps() -> list[Step]:
    """Collect the steps of the lab's artifacts, in the order in which they depend on each other."""
    return [step for source in LAB_SOURCES for step in importlib.import_module(source).STEPS]

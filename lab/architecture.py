"""CPU architectures by Debian's names."""

import platform

_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}


def own() -> str:
    """Return the architecture of this machine, such as `amd64`."""
    machine = platform.machine()
    return _NAMES.get(machine, machine)

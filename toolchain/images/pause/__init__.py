"""The pause image: one static program of our own, under the name that k3s asks for."""

import hashlib
from pathlib import Path

from toolchain import cache
from toolchain.images.command import run
from toolchain.images.errors import CompileError
from toolchain.images.layer import Layer, make

_SOURCE = Path(__file__).with_name("pause.c")
_COMPILERS = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc", "armhf": "arm-linux-gnueabihf-gcc"}
_OPTIONS = ("-static", "-Os", "-s", "-Wall", "-Werror", "-Wl,--build-id=none")


def layers(architecture: str) -> list[Layer]:
    """Return the image's only layer.

    Raises:
        CompileError: There is no C compiler for the architecture.
    """
    key = hashlib.sha256(" ".join((architecture, *_OPTIONS)).encode() + _SOURCE.read_bytes()).hexdigest()
    return [make("pause", key, lambda tree: _fill(tree, architecture))]


def _fill(tree: Path, architecture: str) -> str:
    native = architecture == cache.host_architecture()
    compiler = "gcc" if native else _COMPILERS[architecture]
    package = "gcc libc6-dev" if native else f"crossbuild-essential-{architecture}"
    run(
        [compiler, *_OPTIONS, "-o", str(tree / "pause"), str(_SOURCE)],
        CompileError,
        "the pause image holds this one program",
        f"install the compiler (Debian: apt-get install {package})",
    )
    return hashlib.sha256(_SOURCE.read_bytes()).hexdigest()

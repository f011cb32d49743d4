"""The layers of Python packages: the very wheels of uv.lock, for the image's platform, less what a server never loads.

Packages that several images have in common make a layer of their own: a node that runs both keeps, and maps into
memory, one copy.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from toolchain import uv
from toolchain.images import bytecode, elf, stand_in
from toolchain.images.command import run
from toolchain.images.errors import WheelError
from toolchain.images.layer import Layer, make
from toolchain.progress import say

_CHECKOUT = Path(__file__).parents[2]
_SITE = "usr/local/lib/python3.11/dist-packages"
# Debian 12 has the C library 2.36.
_PLATFORMS = {"amd64": "x86_64-manylinux_2_36", "arm64": "aarch64-manylinux_2_36"}
_UNNEEDED = (
    "bin",
    ".lock",
    "*.dist-info/RECORD",
    "*.dist-info/INSTALLER",
    "*.dist-info/REQUESTED",
    "*.dist-info/uv_cache.json",
    "**/*.pyi",
    "numpy/**/tests",
    "numpy/f2py",
    "numpy/_core/include",
    "numpy/_core/lib",
    "numpy/_core/_simd.*",
    "numpy/distutils",
    "cv2/data",
    # The headers and sources of a parser that is compiled already.
    "simdjson/simdjson.*",
    "**/*.pyx",
    "**/*.pxd",
    # What only the libraries in `_NEVER_CALLED` need.
    "opencv_python_headless.libs/libgfortran-*",
    "opencv_python_headless.libs/libquadmath-*",
    "openvino/include",
    "openvino/cmake",
    "openvino/tools",
    "openvino/torch",
    "openvino/libs/cache.json",
    "openvino/libs/libopenvino_intel_gpu_plugin*",
    "openvino/libs/libopenvino_intel_npu*",
    "openvino/libs/libopenvino_auto*_plugin*",
    "openvino/libs/libopenvino_hetero_plugin*",
    "openvino/libs/libopenvino_jax_frontend*",
    "openvino/libs/libopenvino_onnx_frontend*",
    "openvino/libs/libopenvino_paddle_frontend*",
    "openvino/libs/libopenvino_pytorch_frontend*",
    "openvino/libs/libopenvino_tensorflow_lite_frontend*",
)

# OpenCV is linked with a library of linear algebra, of 41 MB with what that one needs, for solvers that the proxy never
# asks it for. (NumPy has its own.)
_NEVER_CALLED = ("opencv_python_headless.libs/libopenblas*",)

# A layer follows from these as well.
_SOURCES = (__file__, bytecode.__file__, elf.__file__, stand_in.__file__)


def layers(group: str, sharing: Sequence[str], architecture: str) -> list[Layer]:
    """Return the layers of a dependency group: what it shares with the other groups, then its own.

    Args:
        group: Dependency group in pyproject.toml.
        sharing: All groups whose images share a layer, this one among them.
        architecture: `amd64` or `arm64`.

    Raises:
        WheelError: The lock file is out of date, or a wheel does not exist for the platform.
    """
    shared = sorted(set.intersection(*(set(locked(name)) for name in sharing)))
    own = sorted(set(locked(group)) - set(shared))
    return [
        layer(f"Python packages of {' and '.join(sharing)}", shared, architecture),
        layer(f"Python packages of {group}", own, architecture),
    ]


def locked(group: str) -> list[str]:
    """Return a group's packages as pinned requirements with hashes, one a line, as uv.lock has them.

    Raises:
        WheelError: The lock file does not fit pyproject.toml.
    """
    options = ["--frozen", "--no-annotate", "--no-header", "--no-emit-project", f"--project={_CHECKOUT}"]
    text = run(
        [uv.program(), "export", "--quiet", f"--only-group={group}", *options],
        WheelError,
        "images hold exactly the packages of uv.lock",
        "run: uv lock",
    )
    return text.replace("\\\n", " ").splitlines()


def layer(title: str, requirements: Sequence[str], architecture: str) -> Layer:
    """Return the layer of pinned requirements.

    Raises:
        WheelError: A wheel does not exist for the platform, or has another hash.
    """
    parts = (*requirements, *(Path(source).read_text() for source in _SOURCES))
    identity = hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def fill(tree: Path) -> str:
        say(f"  installing {title} for {architecture}")
        _fill(tree, requirements, architecture)
        return identity

    return make(title, hashlib.sha256(f"{architecture} {identity}".encode()).hexdigest(), fill)


def _fill(tree: Path, requirements: Sequence[str], architecture: str) -> None:
    site = tree / _SITE
    _install(site, requirements, architecture)
    trim(site)
    bytecode.compile_tree(site, tree)


def _install(site: Path, requirements: Sequence[str], architecture: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(requirements) + "\n")
        file.flush()
        options = [f"--python-platform={_PLATFORMS[architecture]}", f"--python-version={bytecode.VERSION}"]
        options += ["--no-deps", "--no-build", "--require-hashes", "--link-mode=copy"]
        run(
            [uv.program(), "pip", "install", "--quiet", *options, f"--target={site}", f"--requirement={file.name}"],
            WheelError,
            "images hold exactly the packages of uv.lock",
            "see what uv says; a package without a wheel for the platform cannot be in an image",
        )


def trim(site: Path) -> None:
    """Remove what a server never loads, and replace what is loaded but never called."""
    for pattern in _UNNEEDED:
        for path in sorted(site.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    libraries = [path for path in sorted(site.rglob("*.so*")) if elf.is_library(path.read_bytes())]
    for path in libraries:
        path.write_bytes(elf.without_symbols_for_debuggers(path.read_bytes()))
    for pattern in _NEVER_CALLED:
        for path in sorted(site.glob(pattern)):
            _replace(path, libraries)


def _replace(path: Path, libraries: Sequence[Path]) -> None:
    """Put a stand-in into the place of a library, with the functions that the others ask of it."""
    library = elf.read_library(path.read_bytes())
    others = [elf.read_library(other.read_bytes()) for other in libraries if other.exists()]
    asked = (other.undefined for other in others if library.name in other.needed)
    path.write_bytes(stand_in.make(path.read_bytes(), library.defined.intersection(*[set[str]().union(*asked)])))

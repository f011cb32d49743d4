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
from toolchain.images import bytecode
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
    "cv2/data",
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
    parts = (*requirements, Path(__file__).read_text(), Path(bytecode.__file__).read_text())
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
    """Remove what a server never loads."""
    for pattern in _UNNEEDED:
        for path in sorted(site.glob(pattern)):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

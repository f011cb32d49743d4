"""Generate the Python stubs of the .proto files into `protos/stubs`.

    python -m protos.build            # generate, also when nothing changed
    python -m protos.build --if-stale # generate only when a source or the generator changed

The stubs are a build product: git ignores them, images and tests get them from here.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

SOURCES = Path(__file__).parent
STUBS = SOURCES / "stubs"
STAMP = "generated-from.sha256"

# protoc writes imports from the root of the .proto tree; the stubs live one package deeper. `import grpc` itself and
# google.protobuf are the installed packages and stay as they are.
_IMPORT = re.compile(r"^(from |import )((?:tensorflow|tensorflow_serving|grpc\.health)[\w.]*)", re.MULTILINE)

# TensorFlow registers the same message names from files of the same names in protobuf's default pool, and one pool
# refuses the second definition. A pool of our own lets both live in one process.
_POOL = {
    "from google.protobuf import descriptor_pool as _descriptor_pool": "from protos.pool import POOL as _POOL",
    "_descriptor_pool.Default()": "_POOL",
}


class BuildError(Exception):
    """The stubs could not be generated."""


def proto_files() -> list[Path]:
    """List the .proto files, relative to `protos/`, in a stable order."""
    return sorted(path.relative_to(SOURCES) for path in SOURCES.rglob("*.proto") if STUBS not in path.parents)


def fingerprint() -> str:
    """Return the sha256 of everything the stubs depend on: the sources, this script and the generator's version."""
    digest = hashlib.sha256(version("grpcio-tools").encode())
    for path in [Path(__file__), *(SOURCES / name for name in proto_files())]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def is_stale() -> bool:
    """Tell whether `protos/stubs` is missing or was generated from other sources."""
    stamp = STUBS / STAMP
    return not stamp.is_file() or stamp.read_text(encoding="ascii").strip() != fingerprint()


def build() -> None:
    """Generate the stubs aside and put them in place of the old ones.

    Raises:
        BuildError: protoc refused a file; its own message was printed.
    """
    with tempfile.TemporaryDirectory(dir=SOURCES, prefix=".stubs-") as scratch:
        target = Path(scratch) / "stubs"
        target.mkdir(mode=0o755)
        _run_protoc(target)
        _place_in_package(target)
        (target / STAMP).write_text(fingerprint() + "\n", encoding="ascii")
        _replace(target, Path(scratch) / "old")


def build_if_stale() -> bool:
    """Generate the stubs unless they are fresh. Returns whether they were generated."""
    if not is_stale():
        return False
    build()
    return True


def _run_protoc(target: Path) -> None:
    # Imported here: an image that carries finished stubs has no grpcio-tools.
    import grpc_tools
    from grpc_tools import protoc

    well_known = Path(grpc_tools.__file__).parent / "_proto"
    out = [f"--{kind}_out={target}" for kind in ("python", "pyi", "grpc_python")]
    names = [str(name) for name in proto_files()]
    if protoc.main(["protoc", f"-I{SOURCES}", f"-I{well_known}", *out, *names]) != 0:
        raise BuildError(f"protoc refused the files below {SOURCES}: see its message above")


def _place_in_package(target: Path) -> None:
    """Make every folder a package and let the stubs import one another from where they are."""
    for folder in [target, *(path for path in target.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    for path in [*target.rglob("*.py"), *target.rglob("*.pyi")]:
        text = path.read_text(encoding="utf-8")
        text = _IMPORT.sub(r"\1protos.stubs.\2", text)
        for default, own in _POOL.items():
            text = text.replace(default, own)
        path.write_text(text, encoding="utf-8")
    _drop_empty_services(target)


def _drop_empty_services(target: Path) -> None:
    """Remove the gRPC modules of files without a service: they hold a version check and nothing else."""
    for path in target.rglob("*_pb2_grpc.py"):
        if "Servicer" not in path.read_text(encoding="utf-8"):
            path.unlink()


def _replace(fresh: Path, aside: Path) -> None:
    # A rename each way, so that another process never sees half a package.
    if STUBS.exists():
        STUBS.rename(aside)
    fresh.rename(STUBS)
    shutil.rmtree(aside, ignore_errors=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m protos.build", description="Generate protos/stubs.")
    parser.add_argument("--if-stale", action="store_true", help="do nothing when the stubs are fresh")
    try:
        if parser.parse_args(arguments).if_stale:
            build_if_stale()
        else:
            build()
    except BuildError as error:
        print(f"protos.build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Make one image and put it into the table of artifacts."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from toolchain import cache, index, recipes
from toolchain.build import build as compile_recipe
from toolchain.images import archive, program
from toolchain.images.archive import Settings
from toolchain.images.image import Image
from toolchain.images.layer import Layer, forget_unused
from toolchain.index import Artifact
from toolchain.lock import exclusive
from toolchain.progress import say

_HERE = Path(__file__).parent
_VERSIONS_KEPT = 2


def find(image: Image, architecture: str) -> Artifact | None:
    """Return the artifact that was made from exactly the present sources, if it is in the table."""
    note = _note(image, architecture)
    if not note.exists():
        return None
    artifact = _artifact(image, architecture, **json.loads(note.read_text()))
    return artifact if index.has(artifact) else None


def build(image: Image, architecture: str, *, again: bool = False) -> Artifact:
    """Make an image unless it is current, and return its artifact.

    Args:
        image: Which.
        architecture: `amd64`, `arm64` or `armhf`.
        again: Make it also when it is current.

    Raises:
        ToolchainError: One of its parts cannot be had.
    """
    if image.recipe and (again or find(image, architecture) is None):
        # Before the lock, so that no other image waits for a compiler.
        compile_recipe(recipes.table()[image.recipe], architecture)
    with exclusive(cache.root() / "layers" / ".lock", "container images"):
        current = None if again else find(image, architecture)
        return current or _build(image, architecture)


def _build(image: Image, architecture: str) -> Artifact:
    say(f"making image {image.name} for {architecture}")
    # Taken first: a source that changes meanwhile makes the image stale, not wrongly current.
    note = _note(image, architecture)
    layers = image.layers(architecture)
    version = image.version()
    if image.content_versioned:
        version += f"-{content_hash(layers, image.settings)}"
    artifact = _artifact(image, architecture, version, f"{image.repository}:{image.tag or version}")
    references = [artifact.image or "", *image.also_named]
    archive.write(artifact.path, references, layers, image.settings, architecture)
    index.add(artifact, only_version=image.content_versioned)
    with cache.replacing(note) as aside:
        aside.write_text(json.dumps({"version": version, "reference": artifact.image}))
    _forget_old(artifact)
    forget_unused()
    say(f"  {artifact.image} ({artifact.path.stat().st_size / 1e6:.0f} MB)")
    return artifact


def content_hash(layers: Sequence[Layer], settings: Settings) -> str:
    """Return a short hash over what an image is made of.

    It is the same for every architecture: a pod has one image reference, whatever node it comes to run on.
    """
    parts = [repr(settings), *(layer.identity for layer in layers)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:8]


def _artifact(image: Image, architecture: str, version: str, reference: str) -> Artifact:
    return Artifact(
        name=f"image-{image.name}",
        version=version,
        architecture=architecture,
        file_name=f"{image.name}.tar",
        image=reference,
    )


def _note(image: Image, architecture: str) -> Path:
    """Return where it is noted which artifact the present sources gave."""
    recipe = recipes.table()[image.recipe].fingerprint if image.recipe else ""
    digest = hashlib.sha256(f"{image.name} {architecture} {image.settings} {recipe}".encode())
    for path in _ingredients(image):
        digest.update(f"{path.name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return cache.root() / "layers" / "images" / f"{image.name}-{architecture}-{digest.hexdigest()[:32]}.json"


def _ingredients(image: Image) -> Iterator[Path]:
    yield from sorted(path for path in _HERE.rglob("*") if path.suffix in (".py", ".txt", ".c"))
    if image.program:
        yield from program.sources(image.program)
        yield from (program.CHECKOUT / "uv.lock", program.CHECKOUT / "pyproject.toml")


def _forget_old(artifact: Artifact) -> None:
    """Remove all but the newest archives of an image; a site that has just read the table still finds its own."""
    versions = artifact.path.parents[2].glob(f"*/{artifact.architecture}")
    newest_first = sorted(versions, key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in newest_first[_VERSIONS_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)

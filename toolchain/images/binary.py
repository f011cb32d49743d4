"""Images around one static binary of the toolchain's recipes, alone or on a bottom layer."""

import hashlib
import shutil
from pathlib import Path

from toolchain import build, recipes
from toolchain.images.archive import Settings
from toolchain.images.debian_root import DebianRoot
from toolchain.images.image import Image, labels
from toolchain.images.layer import Layer, make

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def image(
    recipe: str,
    repository: str,
    *,
    place: str,
    name: str | None = None,
    tag: str | None = None,
    root: DebianRoot | None = None,
    also_named: tuple[str, ...] = (),
    architectures: tuple[str, ...] = ("amd64", "arm64"),
) -> Image:
    """Return the image of one recipe's binary; its version is the recipe's.

    Args:
        recipe: Key of the recipe.
        repository: Image reference without its tag.
        place: Folder of the binary; `/usr/local/bin` where manifests call it by its name alone.
        name: Name of the archive; by default the binary's.
        tag: Where it is another one than the version.
        root: What the binary needs beside itself.
        also_named: Further references in the archive.
        architectures: For which it is made.
    """
    made = recipes.table()[recipe]
    path = f"{place.rstrip('/')}/{made.binary}"
    licences = "Apache-2.0" + ("; each Debian package's own in /usr/share/doc" if root else "")
    return Image(
        name=name or made.binary,
        repository=repository,
        tag=tag,
        also_named=also_named,
        version=lambda: made.version,
        layers=lambda architecture: layers(recipe, path, root, architecture),
        settings=Settings(
            entrypoint=(path,),
            environment={"PATH": _PATH},
            labels=labels(f"{made.name} {made.version}, built by KubEVC", licences),
        ),
        recipe=recipe,
        architectures=architectures,
    )


def layers(recipe: str, path: str, root: DebianRoot | None, architecture: str) -> list[Layer]:
    """Return an image's layers; the binary is built if the cache does not have it.

    Raises:
        GoError: There is no Go compiler to build it with.
        BuildError: It does not build.
        PackageError: A package of the bottom layer cannot be had.
    """
    made = recipes.table()[recipe]
    binary = build.build(made, architecture)
    stamp = binary.stat()
    follows_from = f"{path} {architecture} {made.fingerprint} {stamp.st_size} {stamp.st_mtime_ns}"
    key = hashlib.sha256(follows_from.encode()).hexdigest()
    own = make(f"{made.name} {made.version}", key, lambda tree: _fill(tree, binary, path, made.fingerprint))
    return [root.layer(architecture), own] if root else [own]


def _fill(tree: Path, binary: Path, path: str, identity: str) -> str:
    placed = tree / path.lstrip("/")
    placed.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(binary, placed)
    placed.chmod(0o755)
    (tree / "tmp").mkdir()
    (tree / "tmp").chmod(0o1777)
    return identity

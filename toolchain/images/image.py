"""What an image is made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from toolchain.images.archive import Settings
from toolchain.images.layer import Layer


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image and how it is made."""

    name: str
    """Name of the archive and, with `image-` before it, of the artifact."""
    repository: str
    """Image reference without its tag."""
    version: Callable[[], str]
    """Version of the content; content-versioned images have a hash put behind it."""
    layers: Callable[[str], Sequence[Layer]]
    """Makes the layers for an architecture, from the bottom up."""
    settings: Settings
    tag: str | None = None
    """Fixed tag, where somebody else's manifest names it; else the tag is the version."""
    also_named: tuple[str, ...] = ()
    """Further references that the archive gives the image; the table of artifacts names the first one alone."""
    content_versioned: bool = False
    """Its content changes with this repository, so that a hash of it has to be part of the version."""
    program: str | None = None
    """Package of this repository that is in it."""
    recipe: str | None = None
    """Key of the recipe whose binary is in it."""
    architectures: tuple[str, ...] = field(default=("amd64", "arm64"))


def labels(title: str, licences: str) -> dict[str, str]:
    """Return the labels that registries and scanners read."""
    return {"org.opencontainers.image.title": title, "org.opencontainers.image.licenses": licences}

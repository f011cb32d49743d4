"""The known pictures that models are checked with, out of the installed scikit-image package."""

import hashlib
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from toolchain import cache
from toolchain.models.errors import SourceError


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture of scikit-image's data folder."""

    name: str
    """File name in our cache."""
    original: str
    """File name in scikit-image."""
    sha256: str
    licence: str


PICTURES = (
    Picture(
        name="coffee.png",
        original="coffee.png",
        sha256="cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
        licence="CC0, by the photographer Rachel Michetti; courtesy of Pikolo Espresso Bar",
    ),
    Picture(
        name="astronaut.png",
        original="astronaut.png",
        sha256="88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
        licence="public domain; Eileen Collins, NASA Great Images database",
    ),
    Picture(
        name="rocket.jpg",
        original="rocket.jpg",
        sha256="c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        licence="public domain; launch of DSCOVR, SpaceX Photos",
    ),
    Picture(
        name="motorcycle.png",
        original="motorcycle_left.png",
        sha256="db18e9c4157617403c3537a6ba355dfeafe9a7eabb6b9b94cb33f6525dd49179",
        licence="not stated; Middlebury 2014 stereo benchmark. For checks on this machine only, not for passing on",
    ),
)

_NOTE = "LICENCES.txt"


def folder() -> Path:
    """Return the folder of the pictures in the cache."""
    return cache.models() / "pictures"


def are_present() -> bool:
    """Say whether the pictures and the note on their licences are in the cache."""
    return all((folder() / name).exists() for name in (_NOTE, *(picture.name for picture in PICTURES)))


def copy() -> None:
    """Copy the pictures into the cache, with a note on their licences.

    Raises:
        SourceError: scikit-image is not installed, or a picture of it has changed.
    """
    originals = _originals()
    for picture in PICTURES:
        _verify(picture, originals / picture.original)
        with cache.replacing(folder() / picture.name) as aside:
            shutil.copyfile(originals / picture.original, aside)
    with cache.replacing(folder() / _NOTE) as aside:
        aside.write_text(_note())


def _originals() -> Path:
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        raise SourceError(
            "scikit-image",
            "it is not installed in this Python environment",
            "the pictures that prove the models come with it",
            "run: uv sync",
        )
    return Path(found.origin).parent / "data"


def _verify(picture: Picture, path: Path) -> None:
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != picture.sha256:
        raise SourceError(
            str(path),
            "it is missing, or is not the picture whose checksum is pinned",
            "what the models have to find in it is known for that one picture only",
            "run: uv sync --reinstall-package scikit-image",
        )


def _note() -> str:
    lines = [f"{picture.name}: {picture.licence}. From scikit-image 0.26.0." for picture in PICTURES]
    return "\n".join(lines) + "\n"

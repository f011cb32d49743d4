"""The identity of a model: a hash over everything that its content follows from."""

import hashlib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from toolchain import cache
from toolchain.models.catalogue import Model

_HERE = Path(__file__).parent
_CHECKOUT = _HERE.parents[1]
_FILE = ".recipe"


def identity(model: Model) -> str:
    """Return the SHA-256 over the converters, the publisher, the pins, the data and TensorFlow's version."""
    digest = hashlib.sha256(metadata.version("tensorflow-cpu").encode())
    for path in _ingredients(model):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _ingredients(model: Model) -> Iterator[Path]:
    yield from sorted((_HERE / "conversion").glob("*.py"))
    yield from (_HERE / "sources.yaml", _HERE / "labels.py", _HERE / "catalogue.py", _HERE / "build.py")
    yield from (_HERE / "data" / "coco80.txt", card(model))
    yield from sorted((_CHECKOUT / "publisher").rglob("*.py"))
    # What the names and the geometry of the added signatures come from.
    yield from (_CHECKOUT / "proxy" / "card.py", _CHECKOUT / "proxy" / "signature_names.py")
    yield from (
        _CHECKOUT / "proxy" / "pictures" / "picture_input.py",
        *sorted((_CHECKOUT / "proxy" / "decoders").glob("*.py")),
    )


def card(model: Model) -> Path:
    """Return the path of a model's card among our data."""
    return _HERE / "data" / f"{model.name}.yaml"


def folder(model: Model) -> Path:
    """Return the folder of a finished model in the cache."""
    return cache.models() / model.name


def is_current(model: Model) -> bool:
    """Say whether the cache holds this model, made by this very recipe."""
    stamp = folder(model) / _FILE
    return stamp.exists() and stamp.read_text() == identity(model)


def stamp(model: Model, place: Path) -> None:
    """Write the identity into a finished model's folder."""
    (place / _FILE).write_text(identity(model))

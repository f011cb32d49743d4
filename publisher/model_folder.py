"""Model folders: a card (`model.yaml`), its labels, and a numbered folder for each version."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from proxy.card import ModelCard, load_card
from proxy.errors import ConfigError
from publisher.errors import FolderError, PublisherError

CARD = "model.yaml"
GRAPH = "saved_model.pb"


def read_card(folder: Path) -> ModelCard:
    """Read the card of a model and its labels.

    Raises:
        FolderError: There is no card, or it cannot be understood.
    """
    if not (folder / CARD).is_file():
        raise FolderError(
            where=str(folder),
            found=f"no {CARD}" if folder.is_dir() else "no such folder",
            reason="The card says how a picture becomes the model's input, and that is what is added to its graph",
            remedy=f"Write {folder / CARD} (docs/proxy.md describes it)",
        )
    try:
        return load_card(folder / CARD)
    except ConfigError as error:
        raise FolderError(error.where, error.found, error.reason, error.remedy) from error


def version_folders(folder: Path) -> list[Path]:
    """Return the version folders, smallest number first.

    Raises:
        FolderError: There is none.
    """
    found = [child for child in folder.iterdir() if child.name.isdecimal() and (child / GRAPH).is_file()]
    if not found:
        raise FolderError(
            where=str(folder),
            found=f"no numbered folder with a {GRAPH}",
            reason="A model's versions are told by the numbers of their folders",
            remedy=f"Export a SavedModel to {folder / '1'}",
        )
    return sorted(found, key=lambda child: int(child.name))


@contextmanager
def replacing(target: Path) -> Generator[Path]:
    """Yield an empty folder beside `target`, and put it in the place of `target` when the block ends well.

    Whoever reads `target` sees the old folder or the whole new one; between the two renames, for a moment, none.

    Raises:
        FolderError: `target` is something else than a model's folder, or cannot be written.
    """
    if target.exists() and not (target / CARD).is_file():
        raise _no_model(target)
    aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    old = aside.with_name(f"{aside.name}.old")
    try:
        aside.mkdir(parents=True)
        yield aside
        if target.exists():
            target.rename(old)
        aside.rename(target)
    except OSError as error:
        raise _unwritable(target, error) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)


def copy_beside_versions(source: Path, target: Path) -> None:
    """Copy everything that is to be seen in a model's folder but its versions: card, labels, licence, notes."""
    for child in sorted(source.iterdir()):
        if child.name.startswith("."):
            continue
        if child.is_file():
            shutil.copyfile(child, target / child.name)
        elif not child.name.isdecimal():
            shutil.copytree(child, target / child.name)


def refuse_same_folder(source: Path, target: Path) -> None:
    """Refuse to write a model over or into itself.

    Raises:
        FolderError: `target` is `source`, or lies in it.
    """
    if os.path.commonpath([source.resolve(), target.resolve()]) == str(source.resolve()):
        raise FolderError(
            where=f"--out {target}",
            found="the model's own folder, or one in it",
            reason="The original stays as it is: what is added is made from it again when its card changes",
            remedy="Name another folder",
        )


def _no_model(target: Path) -> PublisherError:
    return FolderError(
        where=f"--out {target}",
        found=f"something is there that is no model's folder (no {CARD} in it)",
        reason="It would be replaced",
        remedy="Name a folder that does not exist yet, or one that was written by this command",
    )


def _unwritable(target: Path, error: OSError) -> PublisherError:
    return FolderError(
        where=f"--out {target}",
        found=f"it cannot be written: {error.strerror or error}",
        reason="The model with its added signatures goes there",
        remedy="Name a folder on a disk with room, which you may write to",
    )

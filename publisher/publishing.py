"""Publishing: a model's folder in, a folder of the same form with more signatures out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from proxy.card import ModelCard
from proxy.signature_names import is_added, signature_names
from publisher import model_folder
from publisher.original import Original
from publisher.proof import prove
from publisher.saved_model import signature_definitions, write
from publisher.steps import EXTRAS, FILE, FOLDER, write_steps
from publisher.wrapper import Wrapper


@dataclass(frozen=True, kw_only=True)
class Published:
    """Say what became of one version."""

    version: str
    added: tuple[str, ...]
    """Names of the signatures that were added; empty where nothing was to be done."""
    note: str = ""
    """Why nothing, or not everything, was added."""


def publish(source: Path, target: Path) -> list[Published]:
    """Write a model with the signatures that its card allows.

    Args:
        source: A model's folder; it is only read.
        target: The folder to write; one that is there is replaced when everything has gone well.

    Raises:
        PublisherError: Nothing was written.
    """
    card = model_folder.read_card(source)
    versions = model_folder.version_folders(source)
    model_folder.refuse_same_folder(source, target)
    with model_folder.replacing(target) as aside:
        model_folder.copy_beside_versions(source, aside)
        return [_publish_version(version, card, aside / version.name) for version in versions]


def _publish_version(version: Path, card: ModelCard, target: Path) -> Published:
    names = signature_names(card.document)
    if names is None:
        return _copied(version, target, "its card describes no picture")
    if names.pixels in signature_definitions(version):
        return _copied(version, target, "it has the signatures of this card already")
    return _wrapped(version, card, target)


def _copied(version: Path, target: Path, note: str) -> Published:
    shutil.copytree(version, target)
    return Published(version=version.name, added=(), note=note)


def _wrapped(version: Path, card: ModelCard, target: Path) -> Published:
    spec = card.document.input
    assert spec is not None
    original = Original(version, spec)
    wrapper = Wrapper(original, card)
    signatures = wrapper.signatures()
    write(wrapper, signatures, target, signature_definitions(version))
    _copy_extras(version, target)
    write_steps(wrapper, spec, list(original.output_specs()), target)
    prove(original, target, card)
    added = tuple(sorted(name for name in signatures if is_added(name)))
    output = card.document.output
    note = "" if output is None or wrapper.answers else f"no graph reads the outputs as decoder {output.decoder} does"
    return Published(version=version.name, added=added, note=note)


def _copy_extras(version: Path, target: Path) -> None:
    """Keep what others have put beside the graph, such as requests to warm it up."""
    if (version / EXTRAS).is_dir():
        shutil.copytree(version / EXTRAS, target / EXTRAS, ignore=lambda _, __: {FILE, FOLDER})

"""What a site's file names on this machine: keys, model folders, tables, the picture. Looks, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from components.errors import Problem
from components.site import Model, Site

SAVED_MODEL = "saved_model.pb"
MOST_CARD_BYTES = 900_000
"""Cards and the files that they name go into one ConfigMap, and Kubernetes takes no larger one than 1 MiB."""

_WHAT_FOR = {
    "labels": "Answers would have numbers for names.",
    "text > vocabulary": "A text becomes the numbers of its words by it.",
}


@dataclass(frozen=True, kw_only=True)
class ModelSource:
    """A model as it lies on this machine."""

    name: str
    """Name of the model."""
    versions: dict[str, Path]
    """Version number, as text, to its folder."""
    card: str
    """Text of `model.yaml`: what goes in, what comes out."""
    files: dict[str, str]
    """Text of each file that the card names, such as its labels, by the name that the card gives it."""

    @property
    def latest(self) -> str:
        """Return the highest version, which is the one served."""
        return max(self.versions, key=int)


def version_folders(source: Path) -> dict[str, Path]:
    """Return the numbered folders of a model with a SavedModel in them."""
    if not source.is_dir():
        return {}
    found = [child for child in source.iterdir() if child.name.isdigit() and (child / SAVED_MODEL).is_file()]
    return {child.name: child for child in sorted(found, key=lambda child: int(child.name))}


def read_card(card: Path) -> dict[str, Any]:
    """Return the content of a `model.yaml`; empty when it holds no keys.

    Raises:
        yaml.YAMLError: It is not YAML.
    """
    content: Any = yaml.safe_load(card.read_text())
    return cast(dict[str, Any], content) if isinstance(content, dict) else {}


def named_by_card(card: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the key and the name of each file that a card names."""
    text: Any = card.get("text")
    vocabulary = cast(dict[str, Any], text).get("vocabulary") if isinstance(text, dict) else None
    for key, name in (("labels", card.get("labels")), ("text > vocabulary", vocabulary)):
        if name is not None:
            yield key, str(name)


def read_source(model: Model) -> ModelSource:
    """Read a model whose folder has passed `missing_files`."""
    card = model.source / "model.yaml"
    return ModelSource(
        name=model.name,
        versions=version_folders(model.source),
        card=card.read_text(),
        files={name: (model.source / name).read_text() for _, name in named_by_card(read_card(card))},
    )


def _missing_file(where: str, path: Path, why: str, fix: str) -> Iterator[Problem]:
    if not path.is_file():
        yield Problem(where=where, found=f"{path}, which does not exist", why=why, fix=fix)


def _ssh_files(site: Site) -> Iterator[Problem]:
    key, known = site.ssh.private_key_file, site.ssh.known_hosts_file
    addresses = dict.fromkeys(str(host.address) for host in (*site.nodes, site.model_store))
    yield from _missing_file(
        "ssh > private-key-file",
        key,
        "No host can be entered without it.",
        f"Make one with: ssh-keygen -t ed25519 -f {key} and put {key.name}.pub on the hosts; or correct the path.",
    )
    yield from _missing_file(
        "ssh > known-hosts-file",
        known,
        "Without pinned host keys another machine could pose as a host.",
        f"Write it with: ssh-keyscan {' '.join(addresses)} >> {known} "
        "and compare the fingerprints with the hosts' own.",
    )


def _card_problems(where: str, model: Model) -> Iterator[Problem]:
    card = model.source / "model.yaml"
    if not card.is_file():
        yield Problem(
            where=where,
            found=f"{model.source}, which has no model.yaml",
            why="It tells the endpoint how a picture becomes the model's input and what the output means.",
            fix="Write one; docs/proxy.md describes it.",
        )
        return
    try:
        content = read_card(card)
    except yaml.YAMLError as broken:
        detail = " ".join(str(broken).split())
        yield Problem(
            where=where, found=f"{card}, which is not YAML: {detail}", why="It cannot be read.", fix="Mend it."
        )
        return
    for key, name in named_by_card(content):
        if not (model.source / name).is_file():
            yield Problem(
                where=where,
                found=f"{card} names {key}: {name}, and {model.source / name} does not exist",
                why=_WHAT_FOR[key],
                fix="Put the file there, or remove the key.",
            )


def _model_files(site: Site) -> Iterator[Problem]:
    for position, model in enumerate(site.models, start=1):
        where = f"models > {position} > source"
        if not model.source.is_dir():
            yield Problem(
                where=where,
                found=f"{model.source}, which is not a folder",
                why="The model is published from there.",
                fix="Correct the path, or put the model there.",
            )
            continue
        if not version_folders(model.source):
            yield Problem(
                where=where,
                found=f"{model.source}, which has no numbered folder with a {SAVED_MODEL}",
                why="A model server serves SavedModels only, and tells versions by the folder's number.",
                fix=f"Export a SavedModel to {model.source / '1'}.",
            )
        yield from _card_problems(where, model)


def _tables(site: Site) -> Iterator[Problem]:
    for position, path in enumerate(site.artifacts.tables, start=1):
        yield from _missing_file(
            f"artifacts > lock-files > {position}",
            path,
            "Files are installed only with a checksum that a table pins.",
            "Correct the path; the lab's table is made by: make setup.",
        )


def _picture(site: Site) -> Iterator[Problem]:
    yield from _missing_file(
        "smoke > picture",
        site.smoke.picture,
        "The site is proven by sending it.",
        "Name a JPEG or PNG that shows something the model knows.",
    )


def _card_sizes(site: Site) -> Iterator[Problem]:
    """Refuse cards and files beside them that are too large together to be handed to the proxy."""
    cards = [(model, model.source / "model.yaml") for model in site.models]
    sizes = {
        path: path.stat().st_size
        for model, card in cards
        if card.is_file()
        for path in (card, *(model.source / name for _, name in named_by_card(read_card(card))))
    }
    if sum(sizes.values()) > MOST_CARD_BYTES:
        largest = max(sizes, key=lambda path: sizes[path])
        yield Problem(
            where="models",
            found=f"model cards, labels and vocabularies of {sum(sizes.values())} bytes, the largest {largest}",
            why=f"They reach the endpoint in one ConfigMap, which holds {MOST_CARD_BYTES} bytes of them.",
            fix="Serve fewer models with vocabularies from this site, or shorten the largest file.",
        )


def missing_files(site: Site) -> list[Problem]:
    """Return what the site's file names and this machine does not have, or has too large."""
    found = [*_ssh_files(site), *_tables(site), *_model_files(site), *_picture(site)]
    return found or [*_card_sizes(site)]

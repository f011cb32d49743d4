"""One version of a model on a store."""

import asyncio
import os
import re
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgehost.errors import InputError
from edgehost.host import Host
from edgehost.manifest import files_below, manifest_of, write_tar
from edgehost.resource import HostInputs, Resource

MODEL = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
SAVED_MODEL_FILES = ("saved_model.pb", "saved_model.pbtxt")
UPLOAD_SECONDS = 3600.0


@dataclass(frozen=True, kw_only=True)
class ModelVersionInputs(HostInputs):
    """Describe a model's version.

    Attributes:
        model: The model's name; a folder of that name below `store_path`.
        version: The version; a folder of that number below the model's.
        source_directory: A SavedModel's folder on this machine.
        store_path: The folder that the store exports.
        manifest: The sha256 of every file by its path, worked out from the source; in the state, as on the store.
    """

    model: str
    version: int
    source_directory: str
    store_path: str
    manifest: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, kw_only=True)
class ModelVersionState(ModelVersionInputs):
    """Add what was published.

    Attributes:
        published: The manifest at publishing; it never changes.
    """

    published: dict[str, str] = field(default_factory=dict[str, str])


class ModelVersion(Resource[ModelVersionInputs, ModelVersionState]):
    """Publish a version in one step, so that no server ever sees half of it."""

    token = "ModelVersion"
    inputs = ModelVersionInputs
    state = ModelVersionState
    replace_on = frozenset({"model", "version", "storePath"})
    not_compared = frozenset({"sourceDirectory"})

    def identity(self, inputs: ModelVersionInputs) -> str:
        return f"{inputs.model}/{inputs.version}"

    def check(self, inputs: ModelVersionInputs) -> list[InputError]:
        problems = _name_problems(inputs)
        source = Path(inputs.source_directory)
        if not any((source / name).is_file() for name in SAVED_MODEL_FILES):
            problems.append(_no_saved_model(source))
        return problems

    def complete(self, inputs: ModelVersionInputs) -> ModelVersionInputs:
        return replace(inputs, manifest=manifest_of(Path(inputs.source_directory)))

    def check_change(self, state: ModelVersionState, inputs: ModelVersionInputs) -> list[InputError]:
        same_place = identity_of(state) == identity_of(inputs)
        if not same_place or not state.published or state.published == inputs.manifest:
            return []
        return [_immutable(state, inputs)]

    async def read(self, host: Host, state: ModelVersionState) -> ModelVersionState | None:
        report = await host.read("model-read", timeout_seconds=600, VERSION_PATH=version_path(state))
        if report.one("state") != "present":
            return None
        return replace(state, manifest=dict(_split(line) for line in report.all("file")))

    async def create(self, host: Host, inputs: ModelVersionInputs) -> ModelVersionState:
        found = await self.read(host, self.begun(inputs))
        if found is None or found.manifest != inputs.manifest:
            await _publish(host, inputs)
        return replace(self.begun(inputs), published=inputs.manifest)

    async def update(self, host: Host, state: ModelVersionState, inputs: ModelVersionInputs) -> ModelVersionState:
        return await self.create(host, inputs)

    async def delete(self, host: Host, state: ModelVersionState) -> None:
        await host.change("model-delete", VERSION_PATH=version_path(state), ASIDE=_aside("outgoing", state))


def identity_of(inputs: ModelVersionInputs) -> tuple[str, str]:
    """Return what makes it this version and no other."""
    return inputs.host.name, version_path(inputs)


def version_path(inputs: ModelVersionInputs) -> str:
    """Return the version's folder on the store."""
    return f"{inputs.store_path.rstrip('/')}/{inputs.model}/{inputs.version}"


async def _publish(host: Host, inputs: ModelVersionInputs) -> None:
    """Copy aside, check every file, sync, and rename into place."""
    source, aside = Path(inputs.source_directory), _aside("incoming", inputs)
    size = sum(path.stat().st_size for path in files_below(source))
    await host.change("model-prepare", VERSION_PATH=version_path(inputs), ASIDE=aside, SIZE_BYTES=str(size))
    await _send_folder(host, source, aside)
    lines = "".join(f"{sha256}  {path}\n" for path, sha256 in inputs.manifest.items())
    outgoing = _aside("outgoing", inputs)
    await host.change(
        "model-publish",
        timeout_seconds=600,
        VERSION_PATH=version_path(inputs),
        ASIDE=aside,
        OUTGOING=outgoing,
        MANIFEST=lines,
    )


async def _send_folder(host: Host, source: Path, aside: str) -> None:
    """Pack the folder while it is sent, so that no copy of it is made on this machine."""
    reading, writing = os.pipe()
    packing = asyncio.create_task(asyncio.to_thread(write_tar, source, os.fdopen(writing, "wb")))
    try:
        with os.fdopen(reading, "rb") as content:
            await host.send("model-receive", content, UPLOAD_SECONDS, ASIDE=aside)
    finally:
        # A host that stops listening breaks the pipe; what it said is the error to show, not the pipe's.
        await asyncio.gather(packing, return_exceptions=True)


def _aside(kind: str, inputs: ModelVersionInputs) -> str:
    """Return a folder beside the version's; a server takes only folders whose name is a number."""
    folder = version_path(inputs).rsplit("/", 1)[0]
    return f"{folder}/.{kind}-{inputs.version}-{secrets.token_hex(4)}"


def _split(line: str) -> tuple[str, str]:
    sha256, _, path = line.partition(" ")
    return path, sha256


def _name_problems(inputs: ModelVersionInputs) -> list[InputError]:
    problems: list[InputError] = []
    if not MODEL.fullmatch(inputs.model):
        problems.append(_bad_model(inputs.model))
    if inputs.version < 1:
        problems.append(_bad_version(inputs.version))
    return problems


def _bad_model(model: str) -> InputError:
    return InputError(
        "model",
        f"{model!r} is not the name of a model",
        "It becomes a folder of the store and a part of the endpoint's URL.",
        "Use letters, digits, '-', '_' and '.', beginning with a letter or digit.",
    )


def _bad_version(version: int) -> InputError:
    return InputError(
        "version",
        f"{version} is not a version",
        "Servers take the highest number; versions begin at 1.",
        "Rename the version's folder to a number from 1 on.",
    )


def _no_saved_model(source: Path) -> InputError:
    found = "there is no such folder" if not source.is_dir() else "there is no saved_model.pb in it"
    return InputError(
        f"sourceDirectory {source}",
        found,
        "A server loads a version only from a SavedModel.",
        "Name the folder that holds saved_model.pb and variables/, or export the model with `tf.saved_model.save`.",
    )


def _immutable(state: ModelVersionState, inputs: ModelVersionInputs) -> InputError:
    changed = sorted(
        path
        for path in state.published.keys() | inputs.manifest.keys()
        if state.published.get(path) != inputs.manifest.get(path)
    )
    return InputError(
        f"{inputs.model} version {inputs.version}",
        f"it was published with another content; {', '.join(changed[:3])} differ"
        + (f" and {len(changed) - 3} more" if len(changed) > 3 else ""),
        "A published version never changes: a server that runs it would not load it again, and its answers could "
        "not be told apart.",
        f"Publish the new content as version {inputs.version + 1}, or take the version out of the site, run "
        "`pulumi up`, and put it in again.",
    )

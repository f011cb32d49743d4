"""A file with a known sha256: a program, an image archive."""

import asyncio
import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from edgehost.errors import ChecksumMismatch, InputError
from edgehost.file_arguments import check_mode, check_path
from edgehost.host import Host
from edgehost.manifest import sha256_of
from edgehost.resource import HostInputs, Resource

SHA256 = re.compile(r"[0-9a-f]{64}")
TRANSFER_SECONDS = 1800.0


@dataclass(frozen=True, kw_only=True)
class ArtifactInputs(HostInputs):
    """Describe an artifact.

    Attributes:
        path: Where the file goes.
        sha256: The 64 hex digits that its content must have.
        url: Where the host fetches it; exactly one of `url` and `source_file` is given.
        source_file: A file of this machine that is uploaded.
        mode: Four octal digits.
        size_bytes: Its size, for the check of free space when the server does not tell.
        links: Symbolic links to make to it.
    """

    path: str
    sha256: str
    url: str | None = None
    source_file: str | None = None
    mode: str = "0644"
    size_bytes: int | None = None
    links: list[str] = field(default_factory=list[str])


class Artifact(Resource[ArtifactInputs, ArtifactInputs]):
    """Bring a file to the host, and let it take its place only when its sha256 is right."""

    token = "Artifact"
    inputs = ArtifactInputs
    state = ArtifactInputs
    replace_on = frozenset({"path"})
    # Where it came from says nothing about what is there: a new mirror is no reason to touch a host.
    not_compared = frozenset({"url", "sourceFile", "sizeBytes"})

    def identity(self, inputs: ArtifactInputs) -> str:
        return inputs.path

    def check(self, inputs: ArtifactInputs) -> list[InputError]:
        paths = [problem for path in inputs.links for problem in check_path("links", path)]
        problems = [*check_path("path", inputs.path), *check_mode(inputs.mode), *paths]
        if not SHA256.fullmatch(inputs.sha256):
            problems.append(_bad_sha256(inputs))
        if (inputs.url is None) == (inputs.source_file is None):
            problems.append(_no_single_source(inputs))
        elif inputs.source_file is not None and not Path(inputs.source_file).is_file():
            problems.append(_no_source_file(inputs.source_file))
        return problems

    async def read(self, host: Host, state: ArtifactInputs) -> ArtifactInputs | None:
        report = await host.read(
            "artifact-read", timeout_seconds=300, FILE_PATH=state.path, LINKS="\n".join(state.links)
        )
        if report.one("state") != "present":
            return None
        mode = report.one("mode").zfill(4)
        return replace(state, sha256=report.one("sha256"), mode=mode, links=report.all("link"))

    async def create(self, host: Host, inputs: ArtifactInputs) -> ArtifactInputs:
        await (self._upload(host, inputs) if inputs.source_file else self._download(host, inputs))
        return inputs

    async def update(self, host: Host, state: ArtifactInputs, inputs: ArtifactInputs) -> ArtifactInputs:
        dropped = [link for link in state.links if link not in inputs.links]
        if dropped:
            await host.change("links-delete", FILE_PATH=inputs.path, LINKS="\n".join(dropped))
        return await self.create(host, inputs)

    async def delete(self, host: Host, state: ArtifactInputs) -> None:
        await host.change("artifact-delete", FILE_PATH=state.path, LINKS="\n".join(state.links))

    async def _download(self, host: Host, inputs: ArtifactInputs) -> None:
        await host.change(
            "artifact-download",
            timeout_seconds=TRANSFER_SECONDS,
            FILE_PATH=inputs.path,
            SHA256=inputs.sha256,
            URL=inputs.url or "",
            MODE=inputs.mode,
            SIZE_BYTES=str(inputs.size_bytes or 0),
            LINKS="\n".join(inputs.links),
        )

    async def _upload(self, host: Host, inputs: ArtifactInputs) -> None:
        source = Path(inputs.source_file or "")
        size = str(_size_bytes(source))
        report = await host.read("artifact-check", FILE_PATH=inputs.path, SHA256=inputs.sha256, SIZE_BYTES=size)
        if not report.flag("installed"):
            await asyncio.to_thread(_check_source, source, inputs.sha256)
            with await asyncio.to_thread(source.open, "rb") as content:
                await host.send("artifact-upload", content, TRANSFER_SECONDS, FILE_PATH=inputs.path)
        links = "\n".join(inputs.links)
        await host.change(
            "artifact-install", FILE_PATH=inputs.path, SHA256=inputs.sha256, MODE=inputs.mode, LINKS=links
        )


def _size_bytes(source: Path) -> int:
    return source.stat().st_size


def _check_source(source: Path, wanted: str) -> None:
    found = sha256_of(source)
    if found != wanted:
        raise ChecksumMismatch(
            str(source),
            f"the file has sha256 {found}, but {wanted} was asked for",
            "It is damaged or another version; it was not sent to any host.",
            "Correct the sha256 in the artifact lock file, or fetch the file anew.",
        )


def _bad_sha256(inputs: ArtifactInputs) -> InputError:
    source = inputs.url or inputs.source_file
    return InputError(
        "sha256",
        f"{inputs.sha256!r} is not a sha256 of 64 lower-case hex digits",
        f"Without it nobody can tell whether {inputs.path} is the right file.",
        f"Put in what `curl -fsSL {source} | sha256sum` or the publisher's list says.",
    )


def _no_single_source(inputs: ArtifactInputs) -> InputError:
    return InputError(
        "url",
        "there are both `url` and `source_file`" if inputs.url else "there is neither `url` nor `source_file`",
        f"It must be clear where {inputs.path} comes from.",
        "Give exactly one of the two.",
    )


def _no_source_file(path: str) -> InputError:
    return InputError(
        "sourceFile",
        f"there is no file {path} on this machine",
        "It was to be uploaded to a host.",
        "Correct the path, or build or fetch the file first.",
    )

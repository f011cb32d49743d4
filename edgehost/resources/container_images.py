"""Images of given archives in a host's container runtime."""

import asyncio
import re
from dataclasses import dataclass, replace

from edgehost.errors import CommandFailed, InputError, NotReady, StepError
from edgehost.file_arguments import check_path
from edgehost.host import Host
from edgehost.report import Report
from edgehost.resource import HostInputs, Resource
from edgehost.resources.artifact import SHA256

NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
# A unit is started before the runtime that it runs answers.
START_SECONDS = 20
IMPORT_SECONDS = 900.0
# On two cores two at once took a quarter less time than one after the other; a third one made no difference.
IMPORTS_AT_ONCE = 2


@dataclass(frozen=True, kw_only=True)
class ContainerImagesInputs(HostInputs):
    """Describe images.

    Attributes:
        socket: The path of containerd's socket.
        archives: The path of each archive on the host, by a name for it; archives are what `docker save` writes.
        checksums: The sha256 of each archive, by the same names; in the state, that of the archive whose images are
            all in the runtime, or what keeps them from it.
    """

    socket: str
    archives: dict[str, str]
    checksums: dict[str, str]


class ContainerImages(Resource[ContainerImagesInputs, ContainerImagesInputs]):
    """Import the images of archives into containerd, and take them away when deleted."""

    token = "ContainerImages"
    inputs = ContainerImagesInputs
    state = ContainerImagesInputs
    replace_on = frozenset({"socket"})
    # An archive that lies elsewhere brings the same images.
    not_compared = frozenset({"archives"})

    def identity(self, inputs: ContainerImagesInputs) -> str:
        return inputs.socket

    def check(self, inputs: ContainerImagesInputs) -> list[InputError]:
        paths = [problem for path in inputs.archives.values() for problem in check_path("archives", path)]
        names = [_bad_name(name) for name in inputs.archives if not NAME.fullmatch(name)]
        sums = [_bad_sha256(name, value) for name, value in inputs.checksums.items() if not SHA256.fullmatch(value)]
        alone = sorted(inputs.archives.keys() ^ inputs.checksums.keys())
        return [*check_path("socket", inputs.socket), *paths, *names, *sums, *map(_half_told, alone)]

    async def read(self, host: Host, state: ContainerImagesInputs) -> ContainerImagesInputs | None:
        report = await host.read("images-read", SOCKET=state.socket, SECONDS_ALLOWED="0")
        if report.flag("silent"):
            return replace(state, checksums=dict.fromkeys(state.checksums, f"nothing answers at {state.socket}"))
        return replace(state, checksums=_found(report))

    async def create(self, host: Host, inputs: ContainerImagesInputs) -> ContainerImagesInputs:
        found = await _wait_for_images(host, inputs.socket)
        if found.keys() - inputs.checksums.keys():
            await _remove(host, inputs.socket, keep=list(inputs.checksums))
        missing = [name for name, wanted in inputs.checksums.items() if found.get(name) != wanted]
        if missing:
            await _import_all(host, inputs, missing)
            _verify(host, inputs, await _wait_for_images(host, inputs.socket))
        return inputs

    async def update(
        self, host: Host, state: ContainerImagesInputs, inputs: ContainerImagesInputs
    ) -> ContainerImagesInputs:
        return await self.create(host, inputs)

    async def delete(self, host: Host, state: ContainerImagesInputs) -> None:
        await _remove(host, state.socket, keep=[])


def _found(report: Report) -> dict[str, str]:
    """Return, by archive, the sha256 of what was imported if all its images are there; else which are not."""
    there = set(report.all("there"))
    missing: dict[str, list[str]] = {}
    for name, _, reference in (value.partition(" ") for value in report.all("image")):
        if reference not in there:
            missing.setdefault(name, []).append(reference)
    archives = report.pairs("archive")
    return archives | {name: f"without {', '.join(references)}" for name, references in missing.items()}


async def _wait_for_images(host: Host, socket: str) -> dict[str, str]:
    report = await host.read("images-read", SOCKET=socket, SECONDS_ALLOWED=str(START_SECONDS))
    if report.flag("silent"):
        raise _silent(host, socket)
    return _found(report)


async def _import_all(host: Host, inputs: ContainerImagesInputs, names: list[str]) -> None:
    """Import archives, a few at a time; when one fails the others are still brought to their end."""
    free = asyncio.Semaphore(IMPORTS_AT_ONCE)

    async def bring(name: str) -> None:
        async with free:
            await host.change(
                "images-import",
                timeout_seconds=IMPORT_SECONDS,
                SOCKET=inputs.socket,
                NAME=name,
                FILE_PATH=inputs.archives[name],
                SHA256=inputs.checksums[name],
            )

    outcomes = await asyncio.gather(*map(bring, names), return_exceptions=True)
    for failure in outcomes:
        if failure is not None:
            raise failure


async def _remove(host: Host, socket: str, keep: list[str]) -> None:
    report = await host.change("images-delete", SOCKET=socket, KEEP="\n".join(keep))
    left = ", ".join(report.all("left"))
    if left:
        await host.log.warn(
            f"{host.address}: containerd does not answer at {socket}, so these images stay in it: {left}"
        )


def _verify(host: Host, inputs: ContainerImagesInputs, found: dict[str, str]) -> None:
    wrong = {
        name: found.get(name, "not there") for name in inputs.checksums if found.get(name) != inputs.checksums[name]
    }
    if wrong:
        raise _not_kept(host, inputs, wrong)


def _silent(host: Host, socket: str) -> StepError:
    return NotReady(
        f"{host.address}: {socket}",
        f"containerd does not answer within {START_SECONDS} s",
        "No image was imported.",
        f"See `ssh {host.address.address} ctr --address {socket} version` and the journal of containerd's unit, then "
        "run `pulumi up` again.",
    )


def _not_kept(host: Host, inputs: ContainerImagesInputs, wrong: dict[str, str]) -> StepError:
    return CommandFailed(
        f"{host.address}: {inputs.socket}",
        "images are not in containerd although their archives were imported: "
        + "; ".join(f"{name} is {what}" for name, what in sorted(wrong.items())),
        "Pods that need them could not start where nothing can be pulled.",
        f"The kubelet removes unused images when the disk is nearly full: look at `ssh {host.address.address} df -h`, "
        "then run `pulumi up` again.",
    )


def _bad_name(name: str) -> InputError:
    return InputError(
        "archives",
        f"{name!r} is not a name for an archive",
        "The host's record of what it brought is a file of that name.",
        "Use lower-case letters, digits, - and ., and begin with a letter or a digit.",
    )


def _bad_sha256(name: str, value: str) -> InputError:
    return InputError(
        f"checksums.{name}",
        f"{value!r} is not a sha256 of 64 lower-case hex digits",
        "Without it nobody can tell whether the runtime has the images of the right archive.",
        "Give the sha256 of the Artifact that brings the archive.",
    )


def _half_told(name: str) -> InputError:
    return InputError(
        f"checksums.{name}",
        f"{name} is not both in `archives` and in `checksums`",
        "An archive needs its path and its sha256.",
        "Add it to the other one, or take it out.",
    )

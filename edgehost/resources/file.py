"""A file with a content, a mode and an owner."""

from dataclasses import dataclass, replace

from edgehost.errors import InputError
from edgehost.file_arguments import check_mode, check_path
from edgehost.host import Host
from edgehost.report import Report
from edgehost.resource import HostInputs, Resource


@dataclass(frozen=True, kw_only=True)
class FileInputs(HostInputs):
    """Describe a file.

    Attributes:
        path: Where it is; missing folders are made and belong to the file.
        content: Its text; a secret stays one.
        mode: Four octal digits.
        owner: A user's name.
        group: A group's name.
    """

    path: str
    content: str
    mode: str = "0644"
    owner: str = "root"
    group: str = "root"


class File(Resource[FileInputs, FileInputs]):
    """Write a file in one step, and put back what stood there before when it is deleted."""

    token = "File"
    inputs = FileInputs
    state = FileInputs
    replace_on = frozenset({"path"})

    def identity(self, inputs: FileInputs) -> str:
        return inputs.path

    def check(self, inputs: FileInputs) -> list[InputError]:
        return [*check_path("path", inputs.path), *check_mode(inputs.mode)]

    async def read(self, host: Host, state: FileInputs) -> FileInputs | None:
        report = await host.read("file-read", FILE_PATH=state.path)
        return found_file(state, report) if report.one("state") == "present" else None

    async def create(self, host: Host, inputs: FileInputs) -> FileInputs:
        await host.change(
            "file-write",
            FILE_PATH=inputs.path,
            CONTENT=inputs.content,
            MODE=inputs.mode,
            OWNER=inputs.owner,
            GROUP=inputs.group,
        )
        return inputs

    async def update(self, host: Host, state: FileInputs, inputs: FileInputs) -> FileInputs:
        return await self.create(host, inputs)

    async def delete(self, host: Host, state: FileInputs) -> None:
        await host.change("file-delete", FILE_PATH=state.path)


def found_file(state: FileInputs, report: Report) -> FileInputs:
    """Return the file as the host reports it."""
    return replace(
        state,
        content=report.text("content"),
        mode=report.one("mode").zfill(4),
        owner=report.one("owner"),
        group=report.one("group"),
    )

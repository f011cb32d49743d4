"""Content: which task a body is for, by its headers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from proxy.errors import InvalidPicture, UnsupportedContent
from proxy.tasks import PreparedTask, Subject, Task, prepare_picture_task, prepare_tensors
from proxy.telemetry.stages import Stages

# A new kind of input is a task in a file of its own and its media type here.
_TASKS: dict[str, Task] = {
    "application/json": prepare_tensors,
    "image/jpeg": prepare_picture_task,
    "image/jpg": prepare_picture_task,
    "image/png": prepare_picture_task,
}
_MULTIPART = "multipart/form-data"
_REMEDY = "Send image/jpeg, image/png, multipart/form-data with one file, or application/json"


def choose_task(headers: Mapping[str, str]) -> Task:
    """Choose the task for a body by its Content-Type.

    Raises:
        UnsupportedContent: The proxy has no task for it, or it is compressed.
    """
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise _unsupported("Content-Encoding", encoding, "The proxy reads bodies as they are", "Send it uncompressed")
    media_type, options = parse_options_header(headers.get("content-type", ""))
    name = media_type.decode("latin-1").lower()
    if name == _MULTIPART and options.get(b"boundary"):
        return partial(_prepare_upload, options[b"boundary"])
    if name not in _TASKS:
        raise _unsupported("Content-Type", name or "(none)", "It says how the body is to be read", _REMEDY)
    return _TASKS[name]


def _prepare_upload(boundary: bytes, data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare the picture of an upload form."""
    with stages.time("decode"):
        picture = read_upload(data, boundary)
    return prepare_picture_task(picture, subject, stages)


def read_upload(data: bytes, boundary: bytes) -> bytes:
    """Return the one file of a multipart body.

    Raises:
        InvalidPicture: The form is broken, or is anything but one part.
    """
    upload = _Upload()
    try:
        parser = MultipartParser(
            boundary, {"on_part_begin": upload.begin, "on_part_data": upload.add, "on_end": upload.end}
        )
        parser.write(data)
        parser.finalize()
    except MultipartParseError as error:
        raise _broken_form(f"a broken form ({error})") from error
    if not upload.complete:
        raise _broken_form("a form that is cut off" if upload.parts else "a form without a file")
    return b"".join(upload.pieces)


class _Upload:
    """Collect the part of a form; a second part ends the reading, so that a form of many costs nothing."""

    def __init__(self) -> None:
        self.parts = 0
        self.pieces: list[bytes] = []
        self.complete = False

    def begin(self) -> None:
        self.parts += 1
        if self.parts > 1:
            raise _broken_form("a form with more than one part")

    def add(self, data: bytes, start: int, end: int) -> None:
        self.pieces.append(data[start:end])

    def end(self) -> None:
        self.complete = self.parts == 1


def _broken_form(found: str) -> InvalidPicture:
    return InvalidPicture(
        where="multipart/form-data body",
        found=found,
        reason="One request carries one picture",
        remedy="Send one part with the file, as curl -F picture=@FILE does",
    )


def _unsupported(header: str, value: str, reason: str, remedy: str) -> UnsupportedContent:
    return UnsupportedContent(where=f"header {header}", found=repr(value[:80]), reason=reason, remedy=remedy)

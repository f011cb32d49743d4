"""Content: how a body is to be read, by its Content-Type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from python_multipart.multipart import parse_options_header

from proxy.errors import UnsupportedContent
from proxy.inputs.compression import check_encoding
from proxy.pictures.header import is_picture
from proxy.tasks.npy import MAGIC, prepare_npy_task
from proxy.tasks.picture import prepare_picture_task
from proxy.tasks.task import BodyTask, PreparedTask, Subject
from proxy.tasks.tensors import prepare_json
from proxy.tasks.text import prepare_text_task
from proxy.telemetry.stages import Stages

_JSON = "application/json"
# A new kind of input is a task in a file of its own and its media type here.
_TASKS: dict[str, BodyTask] = {
    _JSON: prepare_json,
    "application/x-npy": prepare_npy_task,
    "image/jpeg": prepare_picture_task,
    "image/jpg": prepare_picture_task,
    "image/png": prepare_picture_task,
    "image/webp": prepare_picture_task,
    "text/plain": prepare_text_task,
}
# What clients say that say nothing: no header at all, and what curl and browsers send unasked.
_UNSAID = frozenset({"", "application/x-www-form-urlencoded", "application/octet-stream"})
_ADDRESS = "text/uri-list"
_FORM = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Content:
    """Hold what the headers say of a body."""

    media_type: str
    boundary: bytes | None
    """Between the parts of a form; None for a body that is no form."""
    encoding: str | None
    """How it is compressed."""

    @property
    def is_video(self) -> bool:
        """Say whether the body is a video."""
        return self.media_type.startswith("video/")

    @property
    def is_address(self) -> bool:
        """Say whether the body is not the picture itself, but where it can be fetched."""
        return self.media_type == _ADDRESS

    @property
    def is_series(self) -> bool:
        """Say whether the body may hold many pictures."""
        return self.is_video or self.boundary is not None

    def check_encoding(self) -> None:
        """Refuse a body that cannot be unpacked.

        Raises:
            UnsupportedContent: See above.
        """
        check_encoding(self.encoding)

    def check_json(self) -> None:
        """Refuse a body that is no JSON.

        Raises:
            UnsupportedContent: See above.
        """
        if self.media_type not in (_JSON, *_UNSAID):
            raise _unsupported(self.media_type, "Examples come as JSON", f"Send {_JSON}")

    def task(self) -> BodyTask:
        """Return the task for the body as a whole.

        Raises:
            UnsupportedContent: The proxy has none.
        """
        if self.media_type in _UNSAID:
            return _prepare_unsaid
        if self.media_type not in _TASKS:
            known = f"{', '.join(_TASKS)}, a video, or {_FORM} with files"
            raise _unsupported(self.media_type, "It says how the body is to be read", f"Send {known}")
        return _TASKS[self.media_type]


def read_content(headers: Mapping[str, str]) -> Content:
    """Read the headers of a body.

    Raises:
        UnsupportedContent: The proxy has no task for such a body, or cannot unpack it.
    """
    name, options = parse_options_header(headers.get("content-type", ""))
    media_type = name.decode("latin-1").lower()
    boundary = options.get(b"boundary") if media_type == _FORM else None
    content = Content(media_type, boundary or None, headers.get("content-encoding"))
    content.check_encoding()
    if not (content.is_series or content.is_address):
        content.task()
    return content


def _prepare_unsaid(data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare a body of which no header tells what it is, by how it begins; JSON is what TensorFlow Serving takes."""
    if is_picture(data):
        return prepare_picture_task(data, subject, stages)
    if data.startswith(MAGIC):
        return prepare_npy_task(data, subject, stages)
    return prepare_json(data, subject, stages)


def _unsupported(media_type: str, reason: str, remedy: str) -> UnsupportedContent:
    return UnsupportedContent("header Content-Type", repr(media_type[:80] or "(none)"), reason, remedy)

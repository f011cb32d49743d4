"""Content: which task a body is for, by its Content-Type."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from python_multipart.multipart import parse_options_header

from proxy.errors import UnsupportedContent
from proxy.inputs.compression import check_encoding
from proxy.tasks.picture import prepare_picture_task
from proxy.tasks.task import BodyTask
from proxy.tasks.tensors import prepare_json
from proxy.tasks.text import prepare_text_task
from proxy.tasks.upload import prepare_upload

# A new kind of input is a task in a file of its own and its media type here.
_TASKS: dict[str, BodyTask] = {
    "application/json": prepare_json,
    "image/jpeg": prepare_picture_task,
    "image/jpg": prepare_picture_task,
    "image/png": prepare_picture_task,
    "image/webp": prepare_picture_task,
    "text/plain": prepare_text_task,
}
_MULTIPART = "multipart/form-data"


def choose_task(headers: Mapping[str, str]) -> BodyTask:
    """Choose the task for a body.

    Raises:
        UnsupportedContent: The proxy has no task for it, or cannot unpack it.
    """
    check_encoding(headers.get("content-encoding"))
    media_type, options = parse_options_header(headers.get("content-type", ""))
    name = media_type.decode("latin-1").lower()
    if name == _MULTIPART and options.get(b"boundary"):
        return partial(prepare_upload, options[b"boundary"])
    if name not in _TASKS:
        known = ", ".join([*_TASKS, f"{_MULTIPART} with files"])
        raise UnsupportedContent(
            where="header Content-Type",
            found=repr(name[:80] or "(none)"),
            reason="It says how the body is to be read",
            remedy=f"Send {known}",
        )
    return _TASKS[name]

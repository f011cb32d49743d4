"""The task for a form: the picture in its part."""

from __future__ import annotations

from proxy.inputs.upload import read_upload
from proxy.tasks.picture import prepare_picture_task
from proxy.tasks.task import PreparedTask, Subject
from proxy.telemetry.stages import Stages


def prepare_upload(boundary: bytes, data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare the picture of an upload form.

    Raises:
        InvalidPicture: See `read_upload` and `prepare_picture_task`.
    """
    with stages.time("decode"):
        picture = read_upload(data, boundary)
    return prepare_picture_task(picture, subject, stages)

"""What was found, drawn on the picture that was sent."""

from __future__ import annotations

from proxy.errors import NotAcceptable
from proxy.outputs.answer import Answer
from proxy.outputs.media import Media, not_acceptable
from proxy.outputs.result import ClassificationsResult, DetectionsResult
from proxy.outputs.style import Style
from proxy.pictures.annotate import annotate


def write_annotated(result: DetectionsResult | ClassificationsResult, style: Style) -> Answer:
    """Write the picture with boxes or labels on it.

    Raises:
        NotAcceptable: What was sent is no picture that could be drawn on.
        DeadlineExceeded: The memory for decoding it did not come free in time.
    """
    if result.file is None:
        raise _no_picture(style.media)
    media_type = "image/png" if style.media is Media.PNG else "image/jpeg"
    file = result.file
    with file.hold_pixels():
        picture = annotate(file.data, file.header, result.found, style.card.labels, media_type)
    return Answer(picture, media_type)


def _no_picture(media: Media) -> NotAcceptable:
    return not_acceptable(media.value, "There is no picture to draw on")

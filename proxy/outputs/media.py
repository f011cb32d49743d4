"""Media: the forms that an answer can be written in, chosen by Accept (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from proxy.errors import NotAcceptable


class Media(Enum):
    """Name the media types of answers; of equally wanted ones the earlier is taken."""

    JSON = "application/json"
    NPY = "application/x-npy"
    PROTOBUF = "application/x-protobuf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    EVENTS = "text/event-stream"
    LINES = "application/x-ndjson"

    @property
    def streams(self) -> bool:
        """Say whether an answer in this form comes in pieces."""
        return self in (Media.EVENTS, Media.LINES)


def choose_media(accept: str | None) -> Media:
    """Choose the form of the answer.

    Args:
        accept: The header, or None where there is none: JSON.

    Raises:
        NotAcceptable: The header allows nothing that the proxy writes.
    """
    if accept is None or not accept.strip():
        return Media.JSON
    ranges = dict(_ranges(accept))
    weights = {media: _weight(media.value, ranges) for media in Media}
    best = max(Media, key=lambda media: weights[media])
    if weights[best] <= 0:
        raise not_acceptable(accept, "The proxy writes none of these")
    return best


def not_acceptable(found: str, reason: str) -> NotAcceptable:
    """Say that an answer cannot be written in the form that is asked for."""
    return NotAcceptable(
        where="header Accept",
        found=repr(found[:120]),
        reason=reason,
        remedy=f"Accept one of {', '.join(media.value for media in Media)} that fits the model and the body",
    )


def _ranges(accept: str) -> Iterator[tuple[str, float]]:
    """Yield each media range with its weight; a weight that is no number counts as 0."""
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        try:
            yield name, float(weight)
        except ValueError:
            yield name, 0.0


def _weight(media_type: str, ranges: dict[str, float]) -> float:
    """Return the weight of a media type: that of the most specific range which it lies in."""
    kind = media_type.partition("/")[0]
    return next((ranges[name] for name in (media_type, f"{kind}/*", "*/*") if name in ranges), 0.0)

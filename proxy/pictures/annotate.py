"""Annotated pictures: the file that was sent, with what was found drawn on it, as a file again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np

from proxy.decoders.results import Classifications, Detections
from proxy.pictures.decoding import decode_picture
from proxy.pictures.drawing import Finding, Pixels, draw
from proxy.pictures.header import PictureHeader

MediaType = Literal["image/png", "image/jpeg"]

# PNG: speed before size; the level changes the time threefold and the size by a tenth.
_ENCODINGS: dict[MediaType, tuple[str, list[int]]] = {
    "image/png": (".png", [cv2.IMWRITE_PNG_COMPRESSION, 1]),
    "image/jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 90]),
}


def annotate(
    data: bytes,
    header: PictureHeader,
    found: Detections | Classifications,
    labels: Sequence[str],
    media_type: MediaType,
) -> bytes:
    """Draw what was found on a picture, in its own size and upright.

    Decoding it takes the memory that `PixelBudget` counts, so hold a share of it around this call.

    Args:
        data: The picture's file.
        header: What `read_header` read of it; whoever limits the size has checked it.
        found: Boxes in pixels of the picture as a viewer shows it, or classes.
        labels: One for each class; a class beyond them is shown by its number.
        media_type: What to write.

    Returns:
        The bytes of the file.

    Raises:
        InvalidPicture: The bytes are cut off or damaged.
    """
    pixels = decode_picture(data, header, "BGR")
    draw(pixels, findings_of(found, labels))
    return encode_picture(pixels, media_type)


def findings_of(found: Detections | Classifications, labels: Sequence[str]) -> list[Finding]:
    """Return what was found, ready to be drawn."""
    boxes = found.boxes.tolist() if isinstance(found, Detections) else [None] * len(found.scores)
    classes: list[int] = found.classes.tolist()
    return [
        Finding(labels[number] if number < len(labels) else None, number, score, box)
        for number, score, box in zip(classes, found.scores.tolist(), boxes, strict=True)
    ]


def encode_picture(pixels: Pixels, media_type: MediaType) -> bytes:
    """Return pixels, uint8 [height, width, 3] in BGR, as the bytes of a file."""
    ending, options = _ENCODINGS[media_type]
    _, encoded = cv2.imencode(ending, pixels, options)
    return np.asarray(encoded, np.uint8).tobytes()

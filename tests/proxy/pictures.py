"""Pictures for tests: real ones from scikit-image, and made ones of plain colours."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import skimage
from PIL import Image


def photo(name: str) -> bytes:
    """Return a photograph's file: coffee.png, astronaut.png, motorcycle_left.png, rocket.jpg and others."""
    return (Path(skimage.__file__).parent / "data" / name).read_bytes()


def photo_as_jpeg(name: str, quality: int = 95) -> bytes:
    """Return a photograph encoded again as JPEG."""
    pixels = cv2.imdecode(np.frombuffer(photo(name), np.uint8), cv2.IMREAD_COLOR)
    return encoded(pixels, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality])


def encoded(pixels: np.ndarray, ending: str = ".png", options: list[int] | None = None) -> bytes:
    """Encode pixels [height, width, 3] in BGR."""
    return cv2.imencode(ending, pixels, options or [])[1].tobytes()


def plain(width: int, height: int, colour: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    """Return a picture of one colour, given as blue, green, red."""
    return np.full((height, width, 3), colour, np.uint8)


def png_header(width: int, height: int) -> bytes:
    """Return a PNG that says its size and has no pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def tiff(orientation: int, order: str = ">") -> bytes:
    """Return EXIF data with an orientation, in one of the two byte orders, behind a tag that does not matter."""
    begin = struct.pack(f"{order}2sHI", b"MM" if order == ">" else b"II", 42, 8)
    width = struct.pack(f"{order}HHII", 0x0100, 4, 1, 6)
    return begin + struct.pack(f"{order}H", 2) + width + struct.pack(f"{order}HHIHHI", 0x0112, 3, 1, orientation, 0, 0)


def with_orientation(jpeg: bytes, orientation: int, order: str = ">") -> bytes:
    """Put an EXIF segment with an orientation into a JPEG."""
    exif = b"Exif\x00\x00" + tiff(orientation, order)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def saved(pixels: np.ndarray, kind: str, **options: object) -> bytes:
    """Save pixels [height, width, 3] in RGB with Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()

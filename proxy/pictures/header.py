"""The header of a picture: what its file says before any pixel is decoded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from proxy.errors import InvalidPicture, PictureTooLarge
from proxy.pictures import exif, jpeg, png, webp

WHERE = "picture in the request body"

BYTES_PER_PIXEL = 9
"""Memory that decoding takes, measured, at worst: a progressive JPEG of full colour. An ordinary one takes 3."""

Kind = Literal["JPEG", "PNG", "WebP"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureHeader:
    """Hold what a picture says of itself: its size is the one stored, before it is turned upright."""

    kind: Kind
    width: int
    height: int
    orientation: int = exif.UPRIGHT
    """How it is to be turned, 1 to 8, as EXIF counts."""
    components: int = 0
    """Of a JPEG: 1 is grey, 3 is colour, 4 is CMYK."""
    usual_coding: bool = True
    """Of a JPEG: whether every decoder knows its coding."""

    @property
    def pixels(self) -> int:
        """Return width times height."""
        return self.width * self.height

    @property
    def upright_size(self) -> tuple[int, int]:
        """Return width and height as a viewer shows it."""
        return (self.height, self.width) if self.orientation > 4 else (self.width, self.height)

    @property
    def is_plain_jpeg(self) -> bool:
        """Say whether the file is a JPEG that every decoder reads alike: upright, grey or colour, usually coded."""
        upright = self.orientation == exif.UPRIGHT
        return self.kind == "JPEG" and upright and self.components in (1, 3) and self.usual_coding


def is_picture(data: bytes) -> bool:
    """Say whether bytes begin as a picture that `read_header` reads."""
    return data.startswith((jpeg.SIGNATURE, png.SIGNATURE)) or webp.begins(data)


def read_header(data: bytes) -> PictureHeader:
    """Read kind, size and orientation of a picture without decoding it.

    Raises:
        InvalidPicture: The bytes are neither JPEG, PNG nor WebP, or have no readable size.
    """
    if data.startswith(jpeg.SIGNATURE):
        return _jpeg_header(jpeg.read_header(data))
    if data.startswith(png.SIGNATURE):
        return _header("PNG", png.read_size(data), png.read_orientation(data))
    if webp.begins(data):
        return _header("WebP", webp.read_size(data), webp.read_orientation(data))
    found = f"{len(data)} bytes that begin like no JPEG, PNG or WebP file" if data else "no bytes at all"
    raise InvalidPicture(
        WHERE, found, "The proxy decodes these three formats", "Send the bytes of a JPEG, PNG or WebP file"
    )


def check_size(header: PictureHeader, max_pixels: int, min_side_pixels: int) -> None:
    """Refuse a picture that is too large to decode or too small to hold anything.

    Raises:
        PictureTooLarge: More than `max_pixels`.
        InvalidPicture: A side shorter than `min_side_pixels`.
    """
    size = f"{header.width} x {header.height} pixels"
    if header.pixels > max_pixels:
        raise PictureTooLarge(
            WHERE,
            f"a {header.kind} of {size}",
            f"Decoding it could take {header.pixels * BYTES_PER_PIXEL // 1_000_000} MB of memory, "
            f"and the limit is {max_pixels} pixels (limits > max-pixels)",
            "Send a smaller copy; models look at a few hundred pixels a side",
        )
    if min(header.width, header.height) < min_side_pixels:
        raise InvalidPicture(
            WHERE,
            f"a {header.kind} of {size}",
            f"A side under {min_side_pixels} pixels (limits > min-side-pixels) holds nothing that a model can see",
            "Send the picture in its original size",
        )


def _jpeg_header(found: jpeg.JpegHeader | None) -> PictureHeader:
    if found is None or 0 in (found.width, found.height):
        raise _no_size("JPEG")
    if found.scans > jpeg.MOST_SCANS:
        raise InvalidPicture(
            WHERE,
            f"a JPEG of more than {jpeg.MOST_SCANS} scans",
            "Each of them goes over the whole picture, and a progressive file needs about ten",
            "Save the picture again",
        )
    return PictureHeader(
        kind="JPEG",
        width=found.width,
        height=found.height,
        orientation=found.orientation,
        components=found.components,
        usual_coding=found.usual,
    )


def _header(kind: Kind, size: tuple[int, int] | None, orientation: int) -> PictureHeader:
    if size is None or 0 in size:
        raise _no_size(kind)
    return PictureHeader(kind=kind, width=size[0], height=size[1], orientation=orientation)


def _no_size(kind: Kind) -> InvalidPicture:
    return InvalidPicture(
        WHERE,
        f"a {kind} without a readable size in its header",
        "The file is cut off or damaged",
        "Check that the whole file was sent and that it opens in a viewer",
    )

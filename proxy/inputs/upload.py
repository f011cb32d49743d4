"""Uploads: the file of a form, as browsers and curl send it (RFC 7578)."""

from __future__ import annotations

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser

from proxy.errors import InvalidPicture


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

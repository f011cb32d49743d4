"""Uploads: the files of a form, as browsers and curl send them (RFC 7578)."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from proxy.errors import InvalidPicture


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """Hold one part of a form."""

    name: str
    """The field's name; empty where the part has none."""
    file_name: str | None
    """The name that the file has with its sender; None for a field without a file name."""
    media_type: str | None
    """What the sender calls it; it may be wrong."""
    data: bytes


def read_uploads(data: bytes, boundary: bytes, max_parts: int) -> tuple[Upload, ...]:
    """Return the parts of a multipart body in their order; there is at least one.

    A part without a file name is returned as well: curl sends a file so where it is read with `<`.

    Args:
        data: The body.
        boundary: The parameter of the same name of the header Content-Type.
        max_parts: The most parts that the form may have; one more ends the reading.

    Raises:
        InvalidPicture: The form is broken or cut off, or has no parts or too many.
    """
    form = _Form(max_parts)
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": form.begin,
                "on_header_field": form.add_header_name,
                "on_header_value": form.add_header_value,
                "on_header_end": form.end_header,
                "on_part_data": form.add_data,
                "on_part_end": form.end_part,
                "on_end": form.end,
            },
        )
        parser.write(data)
        parser.finalize()
    except FormParserError as error:
        raise _broken_form(f"a broken form ({error})", max_parts) from error
    if not form.complete or not form.uploads:
        raise _broken_form("a form that is cut off" if form.begun else "a form without a file", max_parts)
    return tuple(form.uploads)


class _Form:
    """Collect the parts of a form as the parser finds them; a form of too many parts costs no more than the limit."""

    def __init__(self, max_parts: int) -> None:
        self.uploads: list[Upload] = []
        self.begun = 0
        self.complete = False
        self._max_parts = max_parts
        self._headers: dict[bytes, bytes] = {}
        self._name = b""
        self._value = b""
        self._pieces: list[bytes] = []

    def begin(self) -> None:
        self.begun += 1
        if self.begun > self._max_parts:
            more = "one part" if self._max_parts == 1 else f"{self._max_parts} parts"
            raise _broken_form(f"a form with more than {more}", self._max_parts)
        self._headers, self._pieces = {}, []

    def add_header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def add_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def end_header(self) -> None:
        self._headers.setdefault(self._name.lower(), self._value)
        self._name = self._value = b""

    def add_data(self, data: bytes, start: int, end: int) -> None:
        self._pieces.append(data[start:end])

    def end_part(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        file_name, media_type = options.get(b"filename"), self._headers.get(b"content-type")
        self.uploads.append(
            Upload(
                name=_text(options.get(b"name", b"")),
                file_name=None if file_name is None else _text(file_name),
                media_type=None if media_type is None else _text(parse_options_header(media_type)[0]),
                data=self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces),
            )
        )

    def end(self) -> None:
        self.complete = True


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _broken_form(found: str, max_parts: int) -> InvalidPicture:
    return InvalidPicture(
        where="multipart/form-data body",
        found=found,
        reason=f"One request carries {'one picture' if max_parts == 1 else f'one to {max_parts} pictures'}",
        remedy="Send one part for each file, as curl -F picture=@FILE does",
    )

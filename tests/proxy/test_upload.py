"""Forms: what their parts are called and hold, and what is refused."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from proxy.errors import InvalidPicture
from proxy.inputs.upload import Upload, read_uploads


def form(*parts: tuple[str, bytes]) -> bytes:
    """Return a form with the boundary B of parts, each given as its headers' lines and its content."""
    return b"".join(b"--B\r\n" + head.encode() + b"\r\n\r\n" + data + b"\r\n" for head, data in parts) + b"--B--\r\n"


def test_the_parts_of_a_form_come_with_their_names_and_in_order() -> None:
    body = form(
        ('Content-Disposition: form-data; name="a"; filename="cat.jpg"\r\nContent-Type: image/jpeg', b"one\r\n--B-"),
        ('content-disposition: form-data; name="b"', b""),
        ('CONTENT-TYPE: Image/PNG; x=1\r\nContent-Disposition: form-data; name="ü"; filename=""', b"\x00" * 100_000),
    )
    assert read_uploads(body, b"B", 3) == (
        Upload(name="a", file_name="cat.jpg", media_type="image/jpeg", data=b"one\r\n--B-"),
        Upload(name="b", file_name=None, media_type=None, data=b""),
        Upload(name="ü", file_name="", media_type="image/png", data=b"\x00" * 100_000),
    )


def test_a_form_of_a_client_library_is_read() -> None:
    files = [("picture", (f"{number}.jpg", bytes([number]) * 5000, "image/jpeg")) for number in range(4)]
    request = httpx.Request("POST", "http://127.0.0.1/", files=files)
    boundary = request.headers["content-type"].partition("boundary=")[2].encode()
    uploads = read_uploads(request.read(), boundary, 4)
    assert [(upload.file_name, upload.data) for upload in uploads] == [file[:2] for _, file in files]


@pytest.mark.parametrize("head", ["X: y", "Content-Disposition: form-data", 'Content-Disposition: ;;=;"', "A:"])
def test_a_part_without_a_name_has_an_empty_one(head: str) -> None:
    (upload,) = read_uploads(form((head, b"data")), b"B", 1)
    assert (upload.name, upload.file_name, upload.data) == ("", None, b"data")


def test_a_header_that_stands_twice_counts_once() -> None:
    heads = 'Content-Disposition: form-data; name="first"\r\nContent-Disposition: form-data; name="second"'
    assert read_uploads(form((heads, b"")), b"B", 1)[0].name == "first"


def test_more_parts_than_allowed_end_the_reading() -> None:
    part = ('Content-Disposition: form-data; name="a"', b"1")
    assert len(read_uploads(form(*[part] * 8), b"B", 8)) == 8
    with pytest.raises(InvalidPicture) as refusal:
        read_uploads(form(*[part] * 9), b"B", 8)
    assert str(refusal.value) == (
        "multipart/form-data body: a form with more than 8 parts. One request carries one to 8 pictures. "
        "Send one part for each file, as curl -F picture=@FILE does."
    )
    with pytest.raises(InvalidPicture, match="a form with more than one part"):
        read_uploads(form(part, part), b"B", 1)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", "a form without a file"),
        (b"--B--\r\n", "a form without a file"),
        (b"--B\r\n", "a form that is cut off"),
        (form(("A: b", b"data"))[:-8], "a form that is cut off"),
        (form(("A: b", b"data"))[:-4], "a form that is cut off"),
        (b"no form at all", "a broken form ("),
        (b"--B\r\nno header\r\n\r\n\r\n--B--\r\n", "a broken form ("),
        (form(("A: " + "b" * 100_000, b"")), "a broken form ("),
        (form(("\r\n".join(f"A{number}: b" for number in range(1000)), b"")), "a broken form ("),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(body: bytes, found: str) -> None:
    with pytest.raises(InvalidPicture) as refusal:
        read_uploads(body, b"B", 4)
    assert refusal.value.found.startswith(found)


@pytest.mark.parametrize("boundary", [b"", b"B", b"-" * 200, b"\xff\x00", "ü".encode()])
def test_damaged_forms_never_end_in_another_error(boundary: bytes) -> None:
    random = np.random.default_rng(1)
    whole = form(("Content-Disposition: form-data; name=a; filename=b", b"\r\n--" * 20), ("C: d", b"x")).replace(
        b"--B", b"--" + boundary
    )
    for _ in range(300):
        data = bytearray(whole)
        for position in random.integers(0, len(data), 3):
            data[position] = random.integers(256)
        try:
            uploads = read_uploads(bytes(data), boundary, 5)
        except InvalidPicture:
            continue
        assert 1 <= len(uploads) <= 5

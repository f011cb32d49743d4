"""Decoding: what comes out of real files, and what is refused before anything is decoded."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image, ImageOps

from proxy.errors import InvalidPicture, PictureTooLarge
from proxy.pictures.decoding import Channels, check_size, decode_picture, read_header
from tests.proxy.pictures import encoded, photo, photo_as_jpeg, plain, png_header, with_orientation

LIMITS = {"max_pixels": 1_000_000, "min_side_pixels": 8}


def decode(data: bytes, channels: Channels, max_pixels: int, min_side_pixels: int) -> np.ndarray:
    """Decode as the proxy does."""
    header = read_header(data)
    check_size(header, max_pixels, min_side_pixels)
    return decode_picture(data, header, channels)


def pillow(data: bytes) -> np.ndarray:
    """Decode with another library, turned upright."""
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB"))


@pytest.mark.parametrize("name", ["coffee.png", "astronaut.png", "motorcycle_left.png", "camera.png", "logo.png"])
def test_png_pixels_are_those_of_another_decoder(name: str) -> None:
    pixels = decode(photo(name), "RGB", **LIMITS)
    assert np.array_equal(pixels, pillow(photo(name)))


@pytest.mark.parametrize("name", ["rocket.jpg", "retina.jpg"])
def test_jpeg_pixels_are_nearly_those_of_another_decoder(name: str) -> None:
    pixels = decode(photo(name), "RGB", max_pixels=3_000_000, min_side_pixels=8)
    assert np.abs(pixels.astype(int) - pillow(photo(name))).mean() < 1


def test_channels_come_in_the_order_asked_for() -> None:
    data = photo("coffee.png")
    assert np.array_equal(decode(data, "RGB", **LIMITS), decode(data, "BGR", **LIMITS)[..., ::-1])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(orientation: int) -> None:
    data = with_orientation(photo_as_jpeg("coffee.png"), orientation)
    pixels = decode(data, "RGB", **LIMITS)
    assert pixels.shape[:2] == ((600, 400) if orientation > 4 else (400, 600))
    assert np.abs(pixels.astype(int) - pillow(data)).mean() < 2


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "I;16", "1"])
def test_every_png_mode_becomes_three_channels_of_bytes(mode: str) -> None:
    buffer = io.BytesIO()
    Image.new("L", (20, 10), 100).convert(mode if mode != "I;16" else "L").save(buffer, "PNG")
    pixels = decode(buffer.getvalue(), "RGB", **LIMITS)
    assert (pixels.shape, pixels.dtype) == ((10, 20, 3), np.uint8)


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 10}, {"optimize": True}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_jpeg_kind_is_decoded(options: dict[str, object], mode: str) -> None:
    buffer = io.BytesIO()
    Image.fromarray(pillow(photo("coffee.png"))).convert(mode).save(buffer, "JPEG", **options)
    header = read_header(buffer.getvalue())
    assert (header.kind, header.width, header.height) == ("JPEG", 600, 400)
    assert decode(buffer.getvalue(), "RGB", **LIMITS).shape == (400, 600, 3)


def test_the_size_of_a_thumbnail_is_not_the_size_of_the_picture() -> None:
    thumbnail = encoded(plain(16, 16), ".jpg")
    data = photo_as_jpeg("coffee.png")
    segment = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    assert read_header(data[:2] + segment + data[2:]).width == 600


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"Hello, this is a text file.\n", "28 bytes that begin like neither a JPEG nor a PNG file"),
        (b"", "no bytes at all"),
        (b"GIF89a" + b"\x00" * 50, "56 bytes that begin like neither a JPEG nor a PNG file"),
        (b"\xff\xd8\xff\xe0", "a JPEG without a readable size in its header"),
        (b"\xff\xd8\xff" + b"\xff" * 100, "a JPEG without a readable size in its header"),
        (b"\xff\xd8\xff\xd9", "a JPEG without a readable size in its header"),
        (b"\xff\xd8\xff\xda\x00\x08", "a JPEG without a readable size in its header"),
        (b"\x89PNG\r\n\x1a\n", "a PNG without a readable size in its header"),
        (png_header(0, 5), "a PNG without a readable size in its header"),
        (png_header(60, 50), "a PNG of 60 x 50 pixels whose 33 bytes are cut off or damaged"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, found: str) -> None:
    with pytest.raises(InvalidPicture) as refusal:
        decode(data, "RGB", **LIMITS)
    assert refusal.value.found == found


def test_the_message_of_a_text_file_says_what_to_send() -> None:
    with pytest.raises(InvalidPicture) as refusal:
        decode(b"Hello", "RGB", **LIMITS)
    assert str(refusal.value) == (
        "picture in the request body: 5 bytes that begin like neither a JPEG nor a PNG file. "
        "The proxy decodes these two formats. Send the bytes of a JPEG or PNG file."
    )


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("picture", [photo_as_jpeg("coffee.png"), photo("coffee.png")], ids=["jpeg", "png"])
def test_a_picture_that_is_cut_off_is_refused(picture: bytes, part: float) -> None:
    with pytest.raises(InvalidPicture, match="cut off or damaged"):
        decode(picture[: int(len(picture) * part)], "RGB", **LIMITS)


def test_a_picture_of_one_pixel_is_refused() -> None:
    with pytest.raises(InvalidPicture) as refusal:
        decode(encoded(plain(1, 1)), "RGB", **LIMITS)
    assert str(refusal.value) == (
        "picture in the request body: a PNG of 1 x 1 pixels. "
        "A side under 8 pixels (limits > min-side-pixels) holds nothing that a model can see. "
        "Send the picture in its original size."
    )


def test_a_huge_picture_is_refused_by_its_header() -> None:
    # There are no pixels behind this header: decoding it would be a different error.
    with pytest.raises(PictureTooLarge) as refusal:
        decode(png_header(20_000, 20_000), "RGB", max_pixels=50_000_000, min_side_pixels=8)
    assert str(refusal.value) == (
        "picture in the request body: a PNG of 20000 x 20000 pixels. Decoding it would take 2400 MB of memory, "
        "and the limit is 50000000 pixels (limits > max-pixels). "
        "Send a smaller copy; models look at a few hundred pixels a side."
    )


def test_damaged_pictures_never_end_in_another_error() -> None:
    random = np.random.default_rng(1)
    for picture in (photo_as_jpeg("coffee.png", 50), photo("camera.png")[:20_000]):
        for _ in range(150):
            data = bytearray(picture)
            for position in random.integers(0, min(len(data), 2000), 4):
                data[position] = random.integers(256)
            try:
                pixels = decode(bytes(data), "RGB", **LIMITS)
            except (InvalidPicture, PictureTooLarge):
                continue
            assert pixels.shape[2] == 3
            assert pixels.shape[0] * pixels.shape[1] <= LIMITS["max_pixels"]


def test_a_png_chunk_that_claims_gigabytes_is_refused_at_once() -> None:
    picture = photo("coffee.png")
    position = picture.index(b"IDAT") - 4
    claim = picture[:position] + (0x7FFF_FFFF).to_bytes(4, "big") + picture[position + 4 :]
    start = time.perf_counter()
    with pytest.raises(InvalidPicture, match="cut off or damaged"):
        decode(claim, "RGB", **LIMITS)
    assert time.perf_counter() - start < 0.5


def test_an_animated_png_shows_its_first_picture() -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "blue")]
    buffer = io.BytesIO()
    frames[0].save(buffer, "PNG", save_all=True, append_images=frames[1:])
    pixels = decode(buffer.getvalue(), "RGB", **LIMITS)
    assert np.unique(pixels.reshape(-1, 3), axis=0).tolist() == [[255, 0, 0]]

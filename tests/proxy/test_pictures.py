"""Decoding: what comes out of real files, and what is refused before anything is decoded."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest
from PIL import Image, ImageOps

from proxy.errors import InvalidPicture, PictureTooLarge
from proxy.pictures.decoding import Channels, decode_picture
from proxy.pictures.header import check_size, read_header
from proxy.pictures.jpeg import MOST_SCANS
from tests.proxy.pictures import encoded, photo, photo_as_jpeg, plain, png_header, saved, tiff, with_orientation

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


@pytest.mark.parametrize("order", [">", "<"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WebP"])
def test_exif_orientation_is_honoured(kind: str, orientation: int, order: str) -> None:
    begin = b"Exif\x00\x00" if kind == "JPEG" else b""
    data = saved(pillow(photo("coffee.png"))[::4, ::4], kind, exif=begin + tiff(orientation, order))
    assert read_header(data).orientation == orientation
    pixels = decode(data, "RGB", **LIMITS)
    assert pixels.shape[:2] == ((150, 100) if orientation > 4 else (100, 150))
    assert pixels.shape[:2] == read_header(data).upright_size[::-1]
    assert np.abs(pixels.astype(int) - pillow(data)).mean() < 2


@pytest.mark.parametrize(
    "broken",
    [
        tiff(9),
        tiff(0),
        tiff(6)[:20],
        b"MM\x00*\xff\xff\xff\xff" + tiff(6)[8:],
        b"MM\x00*\x00\x00\x00\x08\xff\xff",
        b"XX" + tiff(6)[2:],
        b"",
    ],
    ids=["nine", "zero", "cut off", "begins outside", "no entries", "no byte order", "empty"],
)
def test_an_orientation_that_cannot_be_read_is_upright(broken: bytes) -> None:
    assert read_header(saved(pillow(photo("coffee.png")), "PNG", exif=broken or b" ")).orientation == 1


def test_only_a_plain_upright_jpeg_is_called_so() -> None:
    pixels = pillow(photo("coffee.png"))
    plain_jpeg, grey = saved(pixels, "JPEG"), saved(pixels[..., 0], "JPEG")
    cmyk = io.BytesIO()
    Image.fromarray(pixels).convert("CMYK").save(cmyk, "JPEG")
    assert [
        read_header(data).is_plain_jpeg for data in (plain_jpeg, grey, saved(pixels, "JPEG", progressive=True))
    ] == [
        True,
        True,
        True,
    ]
    arithmetic = plain_jpeg.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc9\x00\x11\x08", 1)
    twelve_bits = plain_jpeg.replace(b"\xff\xc0\x00\x11\x08", b"\xff\xc1\x00\x11\x0c", 1)
    others = (with_orientation(plain_jpeg, 6), cmyk.getvalue(), arithmetic, twelve_bits, saved(pixels, "PNG"))
    assert [read_header(data).is_plain_jpeg for data in others] == [False] * 5
    assert [read_header(data).components for data in (plain_jpeg, grey, cmyk.getvalue())] == [3, 1, 4]


@pytest.mark.parametrize("options", [{"quality": 80}, {"lossless": True}, {"quality": 80, "exif": tiff(1)}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
def test_webp_pixels_are_nearly_those_of_another_decoder(options: dict[str, object], mode: str) -> None:
    data = saved(np.asarray(Image.fromarray(pillow(photo("coffee.png"))).convert(mode)), "WebP", **options)
    header = read_header(data)
    assert (header.kind, header.width, header.height) == ("WebP", 600, 400)
    assert np.abs(decode(data, "RGB", **LIMITS).astype(int) - pillow(data)).max() < 3


def test_an_animated_webp_shows_its_first_picture() -> None:
    first = pillow(photo("coffee.png"))
    data = saved(first, "WebP", save_all=True, append_images=[Image.new("RGB", (600, 400))], lossless=True)
    assert b"ANMF" in data
    assert np.array_equal(decode(data, "RGB", **LIMITS), first)


def test_a_small_first_picture_of_an_animation_lies_where_the_file_says() -> None:
    frame = saved(np.full((20, 30, 3), 200, np.uint8), "WebP", lossless=True)[12:]
    place = b"".join(number.to_bytes(3, "little") for number in (5, 10, 29, 19, 100)) + b"\x00"
    animation = b"ANMF" + (16 + len(frame)).to_bytes(4, "little") + place + frame
    canvas = b"VP8X" + (10).to_bytes(4, "little") + b"\x02\x00\x00\x00" + b"\x63\x00\x00\x31\x00\x00"
    body = b"WEBP" + canvas + animation
    pixels = decode(b"RIFF" + len(body).to_bytes(4, "little") + body, "RGB", **LIMITS)
    assert pixels.shape == (50, 100, 3)
    assert (pixels[20:40, 10:40] == 200).all()
    assert pixels.astype(int).sum() == 20 * 30 * 3 * 200


def test_a_webp_whose_pixels_are_larger_than_it_says_is_refused() -> None:
    data = saved(pillow(photo("coffee.png")), "WebP", lossless=True, exif=tiff(1))
    position = data.index(b"VP8X") + 12
    small = data[:position] + b"\x13\x00\x00\x09\x00\x00" + data[position + 6 :]
    assert read_header(small).upright_size == (20, 10)
    with pytest.raises(InvalidPicture, match=r"a WebP of 20 x 10 pixels whose \d+ bytes are cut off or damaged"):
        decode(small, "RGB", **LIMITS)


def test_a_jpeg_of_thousands_of_scans_is_refused_by_its_markers() -> None:
    progressive = saved(pillow(photo("coffee.png")), "JPEG", progressive=True)
    position = progressive.rindex(b"\xff\xda")
    last = progressive[position:-2]
    assert decode(progressive[:-2] + 3 * last + b"\xff\xd9", "RGB", **LIMITS).shape == (400, 600, 3)
    with pytest.raises(InvalidPicture, match="a JPEG of more than 100 scans"):
        read_header(progressive[:-2] + MOST_SCANS * last + b"\xff\xd9")
    hidden = progressive[:-2] + b"\xff\xfe\x00\x04\xff\xd9" * 20_000 + last
    with pytest.raises(InvalidPicture, match="a JPEG of more than 100 scans"):
        read_header(hidden)
    # A film behind the picture, as telephones append it, is none of its scans.
    assert read_header(progressive + b"\xff\xda" * 1000).is_plain_jpeg


def test_damage_that_viewers_overlook_is_overlooked() -> None:
    data = photo_as_jpeg("coffee.png")
    position = data.index(b"\xff\xdb")
    stuffed = data[:position] + b"xx" + data[position:]
    assert np.array_equal(decode(stuffed, "RGB", **LIMITS), decode(data, "RGB", **LIMITS))


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
        (b"Hello, this is a text file.\n", "28 bytes that begin like no JPEG, PNG or WebP file"),
        (b"", "no bytes at all"),
        (b"GIF89a" + b"\x00" * 50, "56 bytes that begin like no JPEG, PNG or WebP file"),
        (b"\xff\xd8\xff\xe0", "a JPEG without a readable size in its header"),
        (b"\xff\xd8\xff" + b"\xff" * 100, "a JPEG without a readable size in its header"),
        (b"\xff\xd8\xff\xd9", "a JPEG without a readable size in its header"),
        (b"\xff\xd8\xff\xda\x00\x08", "a JPEG without a readable size in its header"),
        (b"\x89PNG\r\n\x1a\n", "a PNG without a readable size in its header"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8X", "a WebP without a readable size in its header"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x01" * 40, "a WebP without a readable size in its header"),
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
        "picture in the request body: 5 bytes that begin like no JPEG, PNG or WebP file. "
        "The proxy decodes these three formats. Send the bytes of a JPEG, PNG or WebP file."
    )


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
@pytest.mark.parametrize(
    "picture",
    [photo_as_jpeg("coffee.png"), photo("coffee.png"), saved(pillow(photo("coffee.png")), "WebP")],
    ids=["jpeg", "png", "webp"],
)
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
        "picture in the request body: a PNG of 20000 x 20000 pixels. Decoding it could take 3600 MB of memory, "
        "and the limit is 50000000 pixels (limits > max-pixels). "
        "Send a smaller copy; models look at a few hundred pixels a side."
    )


def test_damaged_pictures_never_end_in_another_error() -> None:
    random = np.random.default_rng(1)
    webp = saved(pillow(photo("coffee.png")), "WebP", exif=tiff(6))
    for picture in (photo_as_jpeg("coffee.png", 50), photo("camera.png")[:20_000], webp):
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

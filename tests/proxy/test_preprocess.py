"""Preprocessing: equal to the plain formula, and boxes that find their way back."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from proxy.errors import CardMismatch
from proxy.pictures.decoding import DecodedPicture, decode_picture, decode_reduced
from proxy.pictures.fit import choose_reduction
from proxy.pictures.header import PictureHeader, read_header
from proxy.pictures.picture_input import PictureInput
from proxy.pictures.preprocess import normalise, prepare_picture
from tests.proxy.pictures import encoded, photo, plain, saved, tiff

FLOAT = np.dtype(np.float32)


def spec(**values: Any) -> PictureInput:
    """Describe an input of 40 x 20 pixels, unless told otherwise."""
    return PictureInput(**{"tensor": "image", "width_pixels": 40, "height_pixels": 20, **values})


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("name", ["coffee.png", "astronaut.png", "motorcycle_left.png"])
def test_the_table_equals_the_formula_to_the_bit(name: str, layout: str) -> None:
    mean, deviation = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
    pixels = decode_picture(photo(name), read_header(photo(name)), "BGR")
    card = spec(width_pixels=416, height_pixels=416, layout=layout, mean=mean, standard_deviation=deviation)
    prepared = prepare_picture(pixels, card, FLOAT)
    formula = (cv2.resize(pixels, (416, 416)).astype(np.float32) - np.float32(mean)) / np.float32(deviation)
    expected = formula.transpose(2, 0, 1)[None] if layout == "NCHW" else formula[None]
    assert prepared.array.shape == card.shape
    assert prepared.array.dtype == np.float32
    assert np.array_equal(prepared.array, expected)


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_bytes_stay_bytes_for_a_model_that_takes_them(layout: str) -> None:
    pixels = np.arange(40 * 20 * 3, dtype=np.uint32).astype(np.uint8).reshape(20, 40, 3)
    array = normalise(pixels, spec(layout=layout), np.dtype(np.uint8))
    assert array.dtype == np.uint8
    assert np.array_equal(array[0], pixels.transpose(2, 0, 1) if layout == "NCHW" else pixels)
    assert array.flags.c_contiguous


def test_half_floats_are_rounded_floats() -> None:
    pixels = plain(40, 20, (7, 100, 250))
    array = normalise(pixels, spec(mean=(1, 2, 3), standard_deviation=(9, 9, 9)), np.dtype(np.float16))
    whole = normalise(pixels, spec(mean=(1, 2, 3), standard_deviation=(9, 9, 9)), FLOAT)
    assert array.dtype == np.float16
    assert np.array_equal(array, whole.astype(np.float16))


def test_a_mean_cannot_go_into_bytes() -> None:
    with pytest.raises(CardMismatch, match=r"mean \[1.0, 1.0, 1.0\].*'image' of type uint8"):
        normalise(plain(40, 20), spec(mean=(1, 1, 1)), np.dtype(np.uint8))


def test_a_type_that_is_no_picture_is_refused() -> None:
    with pytest.raises(CardMismatch, match="of type int64"):
        normalise(plain(40, 20), spec(), np.dtype(np.int64))


@pytest.mark.parametrize("size", [(600, 400), (400, 600), (40, 20), (8, 3000), (1023, 17)])
@pytest.mark.parametrize("resize", ["stretch", "letterbox", "center-crop"])
def test_a_point_finds_its_way_back(size: tuple[int, int], resize: str) -> None:
    """The corners of what is shown of the picture lie where the frame says."""
    prepared = prepare_picture(plain(*size), spec(resize=resize, crop_fraction=0.875), FLOAT)
    frame = prepared.frame
    shown = np.float32([[frame.offset_x, frame.offset_y, 0, 0]])
    shown[0, 2] = frame.offset_x + size[0] * frame.scale_x
    shown[0, 3] = frame.offset_y + size[1] * frame.scale_y
    assert frame.boxes_to_source(shown)[0] == pytest.approx([0, 0, *size], abs=0.01)


def test_letterbox_keeps_proportions_between_grey_bars() -> None:
    prepared = prepare_picture(plain(100, 100, (255, 255, 255)), spec(resize="letterbox", pad_value=7), FLOAT)
    assert np.unique(prepared.array[0, :, :10]) == [7]
    assert np.unique(prepared.array[0, :, 10:30]) == [255]
    assert np.unique(prepared.array[0, :, 30:]) == [7]
    assert (prepared.frame.scale_x, prepared.frame.scale_y, prepared.frame.offset_x) == (0.2, 0.2, 10)


def test_center_crop_shows_the_middle() -> None:
    pixels = plain(100, 100)
    pixels[25:75] = 200
    prepared = prepare_picture(pixels, spec(resize="center-crop", interpolation="nearest"), FLOAT)
    assert np.unique(prepared.array) == [200]
    inside = prepared.frame.boxes_to_source(np.float32([[0, 0, 40, 20]]))
    assert inside.tolist() == [[0, 25, 100, 75]]


def test_a_crop_fraction_shows_that_part_of_the_shorter_side() -> None:
    square = spec(width_pixels=224, height_pixels=224, resize="center-crop", crop_fraction=0.875)
    frame = prepare_picture(plain(600, 400), square, FLOAT).frame
    assert frame.boxes_to_source(np.float32([[0, 0, 224, 224]])).tolist() == [[125, 25, 475, 375]]


def test_boxes_are_clipped_to_the_source() -> None:
    frame = prepare_picture(plain(80, 40), spec(), FLOAT).frame
    assert frame.boxes_to_source(np.float32([[-5, -5, 50, 10]])).tolist() == [[0, 0, 80, 20]]


def decoded(data: bytes, card: PictureInput) -> DecodedPicture:
    """Decode a picture at the size that is enough for a card."""
    header = read_header(data)
    return decode_reduced(data, header, card.channels, choose_reduction(*header.upright_size, card))


@pytest.mark.parametrize(
    ("size", "values", "reduction"),
    [
        ((79, 40), {}, 1),
        ((80, 39), {}, 1),
        ((80, 40), {}, 2),
        ((159, 79), {}, 2),
        ((160, 80), {}, 4),
        ((4000, 80), {}, 4),
        ((320, 160), {}, 8),
        ((9000, 9000), {}, 8),
        ((9000, 9000), {"decode": "full"}, 1),
        ((80, 40), {"interpolation": "area"}, 1),
        ((160, 80), {"interpolation": "area"}, 2),
        ((80, 80), {"resize": "letterbox"}, 4),
        ((80, 20), {"resize": "letterbox"}, 2),
        ((79, 20), {"resize": "letterbox"}, 1),
        ((80, 400), {"resize": "center-crop"}, 2),
        ((80, 400), {"resize": "center-crop", "crop_fraction": 0.875}, 1),
        ((32, 32), {"width_pixels": 1, "height_pixels": 1}, 4),
    ],
)
def test_a_large_picture_is_decoded_with_as_many_pixels_as_the_model_sees(
    size: tuple[int, int], values: dict[str, Any], reduction: int
) -> None:
    assert choose_reduction(*size, spec(**values)) == reduction


@pytest.mark.parametrize("reduction", [2, 4, 8])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [(640, 480), (641, 487), (647, 481)])
def test_what_is_decoded_small_lies_where_it_lies_on_the_picture(
    size: tuple[int, int], orientation: int, reduction: int
) -> None:
    """A white square on black: its edges, measured by how much light there is, come back to the pixel they began at."""
    square = (160, 96, 320, 192)
    pixels = plain(*size)
    pixels[square[1] : square[3], square[0] : square[2]] = 255
    data = saved(pixels, "JPEG", exif=b"Exif\x00\x00" + tiff(orientation), quality=100)
    header = read_header(data)
    small = decode_reduced(data, header, "RGB", reduction)
    whole = decode_picture(data, header, "RGB")
    assert small.pixels.shape[:2] == tuple(-(-side // reduction) for side in whole.shape[:2])
    assert (small.frame.source_width, small.frame.source_height) == header.upright_size
    for axis, (scale, offset) in enumerate(
        [(small.frame.scale_y, small.frame.offset_y), (small.frame.scale_x, small.frame.offset_x)]
    ):
        middle = light_middle(small.pixels, axis)
        assert (middle - offset) / scale == pytest.approx(light_middle(whole, axis), abs=0.1)


def light_middle(pixels: np.ndarray, axis: int) -> float:
    """Return where the middle of the light lies, in pixels from the edge."""
    light = pixels.astype(float).sum(axis=(1 - axis, 2))
    return float((light * (np.arange(len(light)) + 0.5)).sum() / light.sum())


@pytest.mark.parametrize("resize", ["stretch", "letterbox", "center-crop"])
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_boxes_of_a_picture_decoded_small_are_those_of_the_whole_one(resize: str, orientation: int) -> None:
    pixels = cv2.resize(cv2.imdecode(np.frombuffer(photo("motorcycle_left.png"), np.uint8), 1), (1603, 1205))
    data = saved(pixels, "JPEG", exif=b"Exif\x00\x00" + tiff(orientation))
    card = spec(width_pixels=300, height_pixels=200, resize=resize)
    small, whole = decoded(data, card), decode_picture(data, read_header(data), "RGB")
    assert small.pixels.shape[0] < whole.shape[0]
    boxes = np.float32([[10, 20, 110, 120], [0, 0, 300, 200], [140, 90, 160, 110]])
    found = prepare_picture(small.pixels, card, FLOAT, small.frame)
    expected = prepare_picture(whole, card, FLOAT)
    # A pixel of the input is 4 to 6 of the source; letterbox and center-crop round to whole pixels of what they get.
    assert np.abs(found.frame.boxes_to_source(boxes) - expected.frame.boxes_to_source(boxes)).max() < 6


@pytest.mark.parametrize("name", ["coffee.png", "astronaut.png", "motorcycle_left.png"])
def test_a_small_picture_is_the_same_to_the_bit_however_it_is_decoded(name: str) -> None:
    data = encoded(cv2.imdecode(np.frombuffer(photo(name), np.uint8), 1), ".jpg")
    card = spec(width_pixels=416, height_pixels=320)
    assert np.array_equal(decoded(data, card).pixels, decode_picture(data, read_header(data), "RGB"))


@pytest.mark.parametrize("size", [224, 416, 640])
def test_a_picture_decoded_small_is_nearer_to_the_mean_of_its_pixels(size: int) -> None:
    tiles = [cv2.imdecode(np.frombuffer(photo(name), np.uint8), 1) for name in ("coffee.png", "motorcycle_left.png")]
    mosaic = np.tile(np.hstack([cv2.resize(tile, (500, 500)) for tile in tiles]), (5, 3, 1))
    data = encoded(mosaic, ".jpg", [cv2.IMWRITE_JPEG_QUALITY, 90])
    card = spec(width_pixels=size, height_pixels=size)
    small, whole = decoded(data, card), decode_picture(data, read_header(data), "RGB")
    mean = cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA).astype(float)
    errors = [
        np.square(prepare_picture(pixels, card, FLOAT).array[0] - mean).mean() for pixels in (small.pixels, whole)
    ]
    assert errors[0] < errors[1] / 3


def test_what_cannot_be_decoded_small_is_decoded_whole_and_says_so() -> None:
    header = PictureHeader(kind="PNG", width=600, height=400)
    picture = decode_reduced(photo("coffee.png"), header, "RGB", 4)
    assert picture.pixels.shape == (400, 600, 3)
    assert (picture.frame.scale_x, picture.frame.offset_x) == (1, 0)

"""Preprocessing: equal to the plain formula, and boxes that find their way back."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from proxy.errors import CardMismatch
from proxy.pictures.decoding import decode_picture, read_header
from proxy.pictures.preprocess import PictureInput, normalise, prepare_picture
from tests.proxy.pictures import photo, plain

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

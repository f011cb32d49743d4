"""Preprocessing: a decoded picture into the array that the model's card asks for."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from proxy.document import Document
from proxy.errors import CardMismatch
from proxy.pictures.decoding import Channels
from proxy.pictures.frame import Frame

Triple = tuple[float, float, float]
Pixels = NDArray[np.uint8]

_INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}


class PictureInput(Document):
    """Describe the picture that a model takes: section `input` of a model card."""

    tensor: str
    """The name of the input in the model's signature."""
    width_pixels: int = Field(gt=0, le=8192)
    height_pixels: int = Field(gt=0, le=8192)
    layout: Literal["NCHW", "NHWC"] = "NHWC"
    channels: Channels = "RGB"
    resize: Literal["stretch", "letterbox", "center-crop"] = "stretch"
    interpolation: Literal["nearest", "bilinear", "bicubic", "area"] = "bilinear"
    crop_fraction: float = Field(default=1.0, gt=0, le=1)
    """Of `center-crop`: the part of the shorter side that is kept."""
    pad_value: int = Field(default=128, ge=0, le=255)
    """Of `letterbox`: the grey of the bars."""
    mean: Triple = (0.0, 0.0, 0.0)
    """Subtracted per channel, in the order of `channels`, on the scale 0 to 255."""
    standard_deviation: Triple = (1.0, 1.0, 1.0)
    """Divided by, per channel, after the mean."""

    @field_validator("standard_deviation")
    @classmethod
    def _deviation_divides(cls, deviation: Triple) -> Triple:
        if 0 in deviation:
            raise ValueError("a standard-deviation must not be 0: it is divided by")
        return deviation

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Return the shape of the array for one picture."""
        if self.layout == "NCHW":
            return 1, 3, self.height_pixels, self.width_pixels
        return 1, self.height_pixels, self.width_pixels, 3


@dataclass(frozen=True, slots=True)
class PreparedPicture:
    """Hold what goes into the model, and where it lies on the source picture."""

    array: NDArray[np.generic]
    frame: Frame


def prepare_picture(pixels: Pixels, spec: PictureInput, dtype: np.dtype[np.generic]) -> PreparedPicture:
    """Resize, normalise and lay out a picture.

    Args:
        pixels: uint8 [height, width, 3] in the channel order of the card.
        spec: What the card says of the model's input.
        dtype: The type of the model's input; float32, float16 or uint8.

    Returns:
        An array of `spec.shape` and `dtype`, and its frame.

    Raises:
        CardMismatch: The type cannot hold what the card asks for.
    """
    fitted, frame = _FITS[spec.resize](pixels, spec)
    return PreparedPicture(normalise(fitted, spec, dtype), frame)


def normalise(pixels: Pixels, spec: PictureInput, dtype: np.dtype[np.generic]) -> NDArray[np.generic]:
    """Apply mean and standard deviation and lay the channels out.

    A byte has 256 values, so the arithmetic is done once per card, in a table; the pixels are looked up in it. The
    result is the same to the bit, several times faster.
    """
    if dtype == np.uint8:
        return _lay_out_bytes(pixels, spec)
    if dtype != np.float32 and dtype != np.float16:
        raise _type_mismatch(spec, dtype)
    table = _table(spec.mean, spec.standard_deviation)
    array = np.empty(spec.shape, np.float32)
    if spec.layout == "NHWC":
        cv2.LUT(pixels, table, dst=array[0])
    else:
        for channel, plane in enumerate(cv2.split(pixels)):
            cv2.LUT(plane, np.ascontiguousarray(table[:, :, channel]), dst=array[0, channel])
    return array.astype(dtype, copy=False)


@functools.lru_cache(maxsize=64)
def _table(mean: Triple, deviation: Triple) -> NDArray[np.float32]:
    """Return the normalised value of each byte and channel, float32 [1, 256, 3]."""
    values = np.arange(256, dtype=np.float32)[None, :, None]
    return (values - np.array(mean, np.float32)) / np.array(deviation, np.float32)


def _lay_out_bytes(pixels: Pixels, spec: PictureInput) -> Pixels:
    if spec.mean != (0.0, 0.0, 0.0) or spec.standard_deviation != (1.0, 1.0, 1.0):
        raise _type_mismatch(spec, np.dtype(np.uint8))
    return np.ascontiguousarray(pixels.transpose(2, 0, 1) if spec.layout == "NCHW" else pixels)[None]


def _type_mismatch(spec: PictureInput, dtype: np.dtype[np.generic]) -> CardMismatch:
    return CardMismatch(
        where="model card > input",
        found=f"mean {list(spec.mean)} and standard-deviation {list(spec.standard_deviation)} "
        f"for the input {spec.tensor!r} of type {dtype}",
        reason="Pictures go into float32, float16, or uint8 without mean and deviation",
        remedy="Mend the card, or publish the model with another signature",
    )


def _resized(pixels: Pixels, width: int, height: int, spec: PictureInput) -> Pixels:
    resized = cv2.resize(pixels, (width, height), interpolation=_INTERPOLATIONS[spec.interpolation])
    return np.asarray(resized, np.uint8)


def _stretch(pixels: Pixels, spec: PictureInput) -> tuple[Pixels, Frame]:
    """Fill the input with the whole picture; its sides may scale differently."""
    height, width = pixels.shape[:2]
    frame = Frame(
        source_width=width,
        source_height=height,
        scale_x=spec.width_pixels / width,
        scale_y=spec.height_pixels / height,
    )
    return _resized(pixels, spec.width_pixels, spec.height_pixels, spec), frame


def _letterbox(pixels: Pixels, spec: PictureInput) -> tuple[Pixels, Frame]:
    """Show the whole picture in its proportions, centred between two bars."""
    height, width = pixels.shape[:2]
    scale = min(spec.width_pixels / width, spec.height_pixels / height)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (spec.width_pixels - inner_width) // 2, (spec.height_pixels - inner_height) // 2
    canvas = np.full((spec.height_pixels, spec.width_pixels, 3), spec.pad_value, np.uint8)
    canvas[top : top + inner_height, left : left + inner_width] = _resized(pixels, inner_width, inner_height, spec)
    frame = Frame(
        source_width=width,
        source_height=height,
        scale_x=inner_width / width,
        scale_y=inner_height / height,
        offset_x=left,
        offset_y=top,
    )
    return canvas, frame


def _center_crop(pixels: Pixels, spec: PictureInput) -> tuple[Pixels, Frame]:
    """Fill the input with the largest centred part of the same proportions, times the crop fraction."""
    height, width = pixels.shape[:2]
    scale = max(spec.width_pixels / width, spec.height_pixels / height) / spec.crop_fraction
    crop_width = min(width, max(1, round(spec.width_pixels / scale)))
    crop_height = min(height, max(1, round(spec.height_pixels / scale)))
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    scale_x, scale_y = spec.width_pixels / crop_width, spec.height_pixels / crop_height
    frame = Frame(
        source_width=width,
        source_height=height,
        scale_x=scale_x,
        scale_y=scale_y,
        offset_x=-left * scale_x,
        offset_y=-top * scale_y,
    )
    crop = pixels[top : top + crop_height, left : left + crop_width]
    return _resized(crop, spec.width_pixels, spec.height_pixels, spec), frame


_FITS: dict[str, Callable[[Pixels, PictureInput], tuple[Pixels, Frame]]] = {
    "stretch": _stretch,
    "letterbox": _letterbox,
    "center-crop": _center_crop,
}

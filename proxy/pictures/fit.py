"""The fit: which part of a picture the model sees, how large, and where in its input."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from proxy.pictures.frame import Frame
from proxy.pictures.picture_input import PictureInput

Pixels = NDArray[np.uint8]

_INTERPOLATIONS = {
    "nearest": cv2.INTER_NEAREST,
    "bilinear": cv2.INTER_LINEAR,
    "bicubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
}
_SHORTEST_REDUCED_SIDE = 8


class Box(NamedTuple):
    """Hold a rectangle in whole pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Hold what is taken of a picture and where it goes."""

    taken: Box
    """On the picture."""
    placed: Box
    """In the model's input; around it are bars."""
    frame: Frame
    """From the input to the picture."""


def plan_fit(width: int, height: int, spec: PictureInput) -> Fit:
    """Plan how a picture of a size, upright, fits into the model's input."""
    return _PLANS[spec.resize](width, height, spec)


def fit_picture(pixels: Pixels, spec: PictureInput) -> tuple[Pixels, Frame]:
    """Resize a picture into the model's input.

    Args:
        pixels: uint8 [height, width, 3], upright.
        spec: What the card says of the input.

    Returns:
        uint8 [height-pixels, width-pixels, 3] in the same order of channels, and where they lie on the picture.
    """
    fit = plan_fit(pixels.shape[1], pixels.shape[0], spec)
    taken, placed = fit.taken, fit.placed
    part = pixels[taken.top : taken.top + taken.height, taken.left : taken.left + taken.width]
    interpolation = _INTERPOLATIONS[spec.interpolation]
    resized = np.asarray(cv2.resize(part, (placed.width, placed.height), interpolation=interpolation), np.uint8)
    if (placed.width, placed.height) == (spec.width_pixels, spec.height_pixels):
        return resized, fit.frame
    canvas = np.full((spec.height_pixels, spec.width_pixels, 3), spec.pad_value, np.uint8)
    canvas[placed.top : placed.top + placed.height, placed.left : placed.left + placed.width] = resized
    return canvas, fit.frame


def choose_reduction(width: int, height: int, spec: PictureInput) -> int:
    """Choose at which part of its size a JPEG is decoded: the smallest that leaves the model as many pixels as it sees.

    Resizing looks at no more than the pixels around each point, so what was reduced before shows a large picture
    better than all of its pixels would: nearer to their mean, by 5 to 10 dB. With `area` every pixel counts already;
    there twice as many are left, at which the difference is lost in that of the JPEG itself.

    Args:
        width: Of the picture, upright.
        height: Of the picture, upright.
        spec: What the card says of the input.

    Returns:
        Source pixels per decoded pixel: 8, 4, 2 or, for a picture of less than twice the size, 1.
    """
    if spec.decode == "full":
        return 1
    frame = plan_fit(width, height, spec).frame
    pixels_left = 1 / max(frame.scale_x, frame.scale_y) / (2 if spec.interpolation == "area" else 1)
    longest = min(pixels_left, min(width, height) / _SHORTEST_REDUCED_SIDE)
    return next((reduction for reduction in (8, 4, 2) if reduction <= longest), 1)


def _stretch(width: int, height: int, spec: PictureInput) -> Fit:
    """Fill the input with the whole picture; its sides may scale differently."""
    frame = Frame(
        source_width=width,
        source_height=height,
        scale_x=spec.width_pixels / width,
        scale_y=spec.height_pixels / height,
    )
    return Fit(taken=Box(0, 0, width, height), placed=Box(0, 0, spec.width_pixels, spec.height_pixels), frame=frame)


def _letterbox(width: int, height: int, spec: PictureInput) -> Fit:
    """Show the whole picture in its proportions, centred between two bars."""
    scale = min(spec.width_pixels / width, spec.height_pixels / height)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (spec.width_pixels - inner_width) // 2, (spec.height_pixels - inner_height) // 2
    frame = Frame(
        source_width=width,
        source_height=height,
        scale_x=inner_width / width,
        scale_y=inner_height / height,
        offset_x=left,
        offset_y=top,
    )
    return Fit(taken=Box(0, 0, width, height), placed=Box(left, top, inner_width, inner_height), frame=frame)


def _center_crop(width: int, height: int, spec: PictureInput) -> Fit:
    """Fill the input with the largest centred part of the same proportions, times the crop fraction."""
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
    taken = Box(left, top, crop_width, crop_height)
    return Fit(taken=taken, placed=Box(0, 0, spec.width_pixels, spec.height_pixels), frame=frame)


_PLANS: dict[str, Callable[[int, int, PictureInput], Fit]] = {
    "stretch": _stretch,
    "letterbox": _letterbox,
    "center-crop": _center_crop,
}

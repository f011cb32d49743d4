"""JPEG files into pixels of the model's size: the step that OpenVINO has no operation for.

Geometry and rounding are those of the publisher's graphs, which TensorFlow runs: stretch, letterbox or center-crop, as
the model's card says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from modelserver.errors import InvalidArgument, Unimplemented
from modelserver.tensors import Array

Pixels = npt.NDArray[np.uint8]
Resize = Callable[[Pixels, int, int], Pixels]
"""Takes pixels [h, w, 3], a height and a width; returns pixels of that size."""

MOST_PIXELS = 2**26
"""A picture of more pixels than this takes over 200 MB; no camera of a site makes one."""


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How a picture of any size becomes one of the model's size; the keys are the card's."""

    width_pixels: int
    height_pixels: int
    resize: str
    interpolation: str
    crop_fraction: float
    pad_value: int


def fit_of(keys: Mapping[str, Any]) -> Fit:
    """Read the keys of a decode step."""
    return Fit(**{name.replace("-", "_"): value for name, value in keys.items()})


class JpegStep:
    """Decodes and fits the files of a request, one after the other."""

    def __init__(self, fit: Fit, resize: Resize) -> None:
        """Take what to do, and what resizes.

        Raises:
            Unimplemented: the decoder's package is not installed, or there is no such fit.
        """
        try:
            import simplejpeg
        except ModuleNotFoundError as error:
            raise Unimplemented("JPEG files are decoded by the Python package simplejpeg, which is missing") from error
        if fit.resize not in _FITS:
            raise Unimplemented(f"there is no way to fit pictures named {fit.resize}")
        self._jpeg = simplejpeg
        self._fit = fit
        self._resize = resize

    def run(
        self, inputs: Mapping[str, Array], outputs: Sequence[str], timeout_seconds: float | None
    ) -> dict[str, Array]:
        """Return uint8 [N, height, width, 3] for string [N]."""
        del timeout_seconds
        (files,) = inputs.values()
        size = (len(files), self._fit.height_pixels, self._fit.width_pixels, 3)
        pixels = np.empty(size, np.uint8)
        for number, data in enumerate(files):
            pixels[number] = _FITS[self._fit.resize](self._decoded(number, data), self._fit, self._resize)
        return {outputs[0]: pixels}

    def _decoded(self, number: int, data: bytes) -> Pixels:
        try:
            height, width, *_ = self._jpeg.decode_jpeg_header(data)
            if height * width > MOST_PIXELS:
                raise InvalidArgument(f"Picture {number} has {width} x {height} pixels; {MOST_PIXELS} are decoded")
            return self._jpeg.decode_jpeg(data, colorspace="RGB")
        except ValueError as error:
            raise InvalidArgument(f"Picture {number} is no JPEG file that can be decoded: {error}") from error


def _stretch(picture: Pixels, fit: Fit, resize: Resize) -> Pixels:
    return resize(picture, fit.height_pixels, fit.width_pixels)


def _letterbox(picture: Pixels, fit: Fit, resize: Resize) -> Pixels:
    height, width = picture.shape[:2]
    scale = min(fit.width_pixels / width, fit.height_pixels / height)
    inner_width, inner_height = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (fit.width_pixels - inner_width) // 2, (fit.height_pixels - inner_height) // 2
    canvas = np.full((fit.height_pixels, fit.width_pixels, 3), fit.pad_value, np.uint8)
    canvas[top : top + inner_height, left : left + inner_width] = resize(picture, inner_height, inner_width)
    return canvas


def _center_crop(picture: Pixels, fit: Fit, resize: Resize) -> Pixels:
    height, width = picture.shape[:2]
    scale = max(fit.width_pixels / width, fit.height_pixels / height) / fit.crop_fraction
    crop_width = min(width, max(1, round(fit.width_pixels / scale)))
    crop_height = min(height, max(1, round(fit.height_pixels / scale)))
    left, top = (width - crop_width) // 2, (height - crop_height) // 2
    crop = picture[top : top + crop_height, left : left + crop_width]
    return resize(crop, fit.height_pixels, fit.width_pixels)


_FITS: dict[str, Callable[[Pixels, Fit, Resize], Pixels]] = {
    "stretch": _stretch,
    "letterbox": _letterbox,
    "center-crop": _center_crop,
}

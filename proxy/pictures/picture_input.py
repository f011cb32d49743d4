"""The picture that a model takes: section `input` of a model card."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from proxy.document import Document
from proxy.pictures.decoding import Channels

Triple = tuple[float, float, float]


class PictureInput(Document):
    """Describe the picture that a model takes: section `input` of a model card."""

    tensor: str
    """The name of the input in the model's signature."""
    width_pixels: int = Field(gt=0, le=8192)
    height_pixels: int = Field(gt=0, le=8192)
    layout: Literal["NCHW", "NHWC"] = "NHWC"
    channels: Channels = "RGB"
    decode: Literal["scaled", "full"] = "scaled"
    """Whether a JPEG of at least twice the size that the model sees is decoded at a part of its own size."""
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

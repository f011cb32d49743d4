"""Results: what was read out of a model's answer, before it is written in the form that the sender accepts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from proxy.decoders.results import Classifications, Detections
from proxy.inputs.json_tensors import Form
from proxy.inputs.open_inference import InferRequest
from proxy.pictures.frame import Frame
from proxy.pictures.header import PictureHeader
from proxy.wire.predictions import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorsResult:
    """Hold plain tensors."""

    prediction: Prediction
    form: Form | None = None
    """The form of the JSON request that asked; None for another kind of body."""


HoldPixels = Callable[[], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFile:
    """Hold the picture that was sent, for drawing on it."""

    data: bytes
    header: PictureHeader
    hold_pixels: HoldPixels
    """Waits for the memory that decoding it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectionsResult:
    """Hold what was found on one picture."""

    version: int
    found: Detections
    """Boxes in pixels of the picture as a viewer shows it."""
    frame: Frame
    file: PictureFile | None
    """None for a frame of a video."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationsResult:
    """Hold the likeliest classes of one picture."""

    version: int
    found: Classifications
    file: PictureFile | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInferenceResult:
    """Hold plain tensors, and the request of the Open Inference Protocol that says how each is written."""

    prediction: Prediction
    request: InferRequest


Result = TensorsResult | DetectionsResult | ClassificationsResult | OpenInferenceResult

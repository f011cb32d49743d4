"""The task: what it must know of its model, and what it makes of a body."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.backend.call import PredictCall, Selector
from proxy.backend.signatures import ModelDescription
from proxy.card import ModelCard
from proxy.config import Limits
from proxy.deadline import Deadline
from proxy.limits import PixelBudget
from proxy.outputs.media import Media
from proxy.outputs.result import Result
from proxy.tasks.options import Options
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Hold what a task must know of the model it works for, and of what is asked."""

    model: str
    card: ModelCard
    description: ModelDescription
    selector: Selector
    options: Options
    media: Media
    """What the answer is written as."""
    limits: Limits
    pixel_budget: PixelBudget
    deadline: Deadline

    @property
    def wants_tensors(self) -> bool:
        """Say whether the model's plain tensors are wanted, and not what its card reads out of them."""
        return self.card.document.output is None or self.options.answer == "tensors" or self.media is Media.PROTOBUF


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedTask:
    """Hold the call to the model, and how to read what comes back."""

    call: PredictCall
    interpret: Callable[[Prediction], Result]
    kind: type[Result]
    """The type of result that `interpret` returns: a media type it cannot be written as is refused before the call."""


Task = Callable[[Subject, Stages], PreparedTask]
"""What to do with one body, which it holds."""

BodyTask = Callable[[bytes, Subject, Stages], PreparedTask]
"""What to do with any body of one kind."""

"""Options: what a sender may ask for in the query of a request, whatever the body."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from proxy.card import Wire
from proxy.errors import InvalidQuery


def _split(value: Any) -> Any:
    return tuple(part for part in value.split(",") if part) if isinstance(value, str) else value


class Options(BaseModel):
    """Hold the query of a predict request; keys that the proxy does not know are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    signature_name: Annotated[str | None, Field(min_length=1, max_length=256)] = None
    """Of tensors that come as .npy: the signature they are for."""
    output_filter: Annotated[tuple[str, ...], BeforeValidator(_split)] = ()
    """The outputs wanted of plain tensors; all of them when empty."""
    round: Annotated[int | None, Field(ge=0, le=15)] = None
    """Decimals of the numbers in a JSON answer; all that they have when None."""
    wire: Wire | None = None
    """How a picture goes to the model server; the card's choice when None."""
    answer: Literal["task", "tensors"] = "task"
    """What comes back for a picture or a text: labels and boxes as the card says, or the model's plain tensors."""
    score_threshold: Annotated[float | None, Field(ge=0, le=1)] = None
    iou_threshold: Annotated[float | None, Field(ge=0, le=1)] = None
    max_detections: Annotated[int | None, Field(gt=0, le=1000)] = None
    top_k: Annotated[int | None, Field(gt=0, le=100_000)] = None
    frames_per_second: Annotated[float | None, Field(gt=0, le=240)] = None
    """Of a video: how many of its frames are looked at in each second."""
    frame_count: Annotated[int | None, Field(gt=0, le=100_000)] = None
    """Of a video: how many of its frames are looked at in all, evenly spread."""

    def decoder_changes(self) -> dict[str, Any]:
        """Return the fields of the card's decoder that this request has other values for."""
        asked = {
            "score_threshold": self.score_threshold,
            "iou_threshold": self.iou_threshold,
            "max_detections": self.max_detections,
            "k": self.top_k,
        }
        return {name: value for name, value in asked.items() if value is not None}


NO_OPTIONS = Options()


def read_options(query: Iterable[tuple[str, str]]) -> Options:
    """Read the query of a request.

    Raises:
        InvalidQuery: A key that there is not, one given twice, or a value that cannot be used.
    """
    pairs = list(query)
    keys = [key for key, _ in pairs]
    if twice := next((key for key in keys if keys.count(key) > 1), None):
        raise _invalid(twice, "it is given more than once")
    try:
        return Options.model_validate(dict(pairs))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        unknown = problem["type"] == "extra_forbidden"
        raise _invalid(str(problem["loc"][0]), "unknown key" if unknown else problem["msg"]) from error


def _invalid(key: str, found: str) -> InvalidQuery:
    return InvalidQuery(
        where=f"query > {key[:80]}",
        found=found,
        reason="An option that is not understood would silently change the answer",
        remedy=f"The options are {', '.join(sorted(Options.model_fields))} (docs/proxy.md)",
    )

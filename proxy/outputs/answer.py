"""The answer: a body with its media type, ready to be sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """Hold the body of an answer and the headers that belong to it."""

    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

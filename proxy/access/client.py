"""Clients: who sends a request, and what they may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from proxy.access.rate_limit import NO_HEADERS
from proxy.access.settings import RateLimit
from proxy.errors import Forbidden

Kind = Literal["anonymous", "key", "token", "certificate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Hold who sends a request.

    Attributes:
        name: The client, for the log.
        kind: How it is known.
        models: The models that it may ask; None for all.
        rate_limit: Its own limit.
        headers: Header fields of its answers: what is left of its limit.
    """

    name: str
    kind: Kind
    models: frozenset[str] | None = None
    rate_limit: RateLimit | None = None
    headers: Mapping[str, str] = field(default_factory=lambda: NO_HEADERS)

    @property
    def label(self) -> str:
        """Return the client for metrics: names out of the file of keys are few, those of others are not bounded."""
        return self.name if self.kind == "key" else self.kind

    def check_model(self, model: str) -> None:
        """Let the client ask a model.

        Raises:
            Forbidden: Its key is for others. The message does not tell whether the model exists.
        """
        if self.models is not None and model not in self.models:
            raise Forbidden(
                where="API key",
                found=f"a key for {', '.join(sorted(self.models)) or 'no model'}, and a request for {model[:80]!r}",
                reason="A key opens only what its entry in the file of keys names",
                remedy="Ask a model of these, or ask the operator for another key",
            )


ANONYMOUS = Client(name="anonymous", kind="anonymous")

"""Backends for tests: calls, contexts, and addresses that a test hands out itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from proxy.backend.addresses import resolve_by_dns
from proxy.backend.backend import Backend
from proxy.backend.call import LATEST, PredictCall, Selector
from proxy.backend.context import CallContext
from proxy.backend.settings import BackendSettings
from proxy.deadline import Deadline
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction


def context(seconds: float = 10, request_id: str = "test", **more: Any) -> CallContext:
    """Make the context of a call."""
    return CallContext(Deadline.after(seconds), request_id, **more)


def call_of(value: Any, *, selector: Selector = LATEST, batched: Sequence[str] = ("x",), **fixed: Any) -> PredictCall:
    """Make a call with an input `x`, and perhaps others."""
    arrays = {"x": np.asarray(value, np.float32)} | {name: np.asarray(each) for name, each in fixed.items()}
    return PredictCall(signature="serving_default", arrays=arrays, selector=selector, batched=frozenset(batched))


async def ask(backend: Backend, call: PredictCall, seconds: float = 10, request_id: str = "test") -> Prediction:
    """Send a call."""
    return await backend.predict(call, context(seconds, request_id), Stages())


@asynccontextmanager
async def backend(
    model: str, target: str | Sequence[str], resolve: Any = resolve_by_dns, **settings: Any
) -> AsyncIterator[Backend]:
    """Make a backend, and close it at the end."""
    made = Backend(model, target, BackendSettings.model_validate(settings), resolve)
    try:
        yield made
    finally:
        await made.close()


@dataclass
class Names:
    """Resolve names as a test says; a name that is not there cannot be resolved."""

    hosts: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    asked: int = 0

    async def __call__(self, host: str, port_number: int) -> list[str]:
        self.asked += 1
        if host not in self.hosts:
            raise OSError(f"no such name on port {port_number}")
        return self.hosts[host]

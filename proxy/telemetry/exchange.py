"""Exchanges: what the proxy knows of one request while it answers it."""

from __future__ import annotations

import re
import time
import uuid
from dataclasses import dataclass, field

from proxy.backend.context import CallContext
from proxy.deadline import Deadline
from proxy.errors import ProxyError
from proxy.telemetry.stages import Stages
from proxy.telemetry.tracing import RequestTrace

HEADER = "x-request-id"
NO_MODEL = "-"

_ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")


@dataclass(slots=True, kw_only=True)
class Exchange:
    """Collect, while a request goes through, what the log and the metrics tell of it afterwards."""

    request_id: str
    deadline: Deadline
    model: str = NO_MODEL
    version: int | None = None
    """The version of the model that answered."""
    client: str | None = None
    """Who asks, where clients have names."""
    trace: RequestTrace = field(default_factory=lambda: RequestTrace(None))
    status: int = 0
    code: str = "ok"
    failure: ProxyError | None = None
    """What ended a stream whose status had been sent already."""
    stages: Stages = field(default_factory=Stages)
    bytes_by_leg: dict[str, int] = field(default_factory=dict[str, int])
    started: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Return the time since the request came."""
        return time.perf_counter() - self.started

    def call_context(self) -> CallContext:
        """Return what goes along with every call that this request causes."""
        return CallContext(self.deadline, self.request_id, tuple(self.trace.metadata), self.count_model_bytes)

    def client_bytes(self, leg: str, count: int) -> None:
        """Note the size of the body `from-client` or `to-client`."""
        self.bytes_by_leg[leg] = count

    def count_model_bytes(self, sent: int, received: int) -> None:
        """Add the sizes of the messages of one call to the model server."""
        legs = self.bytes_by_leg
        legs["to-model"] = legs.get("to-model", 0) + sent
        legs["from-model"] = legs.get("from-model", 0) + received


def chosen_request_id(header: str | None) -> str:
    """Return the id that the sender gave, if it is fit for headers and logs, or a new one."""
    if header is not None and _ACCEPTABLE_ID.fullmatch(header):
        return header
    return uuid.uuid4().hex

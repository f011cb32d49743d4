"""Trace context: the headers traceparent and tracestate, by which one trace goes through several programs.

The form is that of https://www.w3.org/TR/trace-context/.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

PARENT = "traceparent"
STATE = "tracestate"

SAMPLED = 1

# Version, trace id, parent id, flags; versions after 00 may have more behind a dash, ff is no version.
_PARENT = re.compile(r"(?!ff)([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_STATE = re.compile(r"[\x20-\x7e]{1,512}")


@dataclass(frozen=True, slots=True)
class TraceContext:
    """Hold the place of a request in its trace."""

    trace_id: str
    """32 hex digits."""
    span_id: str
    """16 hex digits: the span that caused the request."""
    flags: int
    state: str = ""
    """What the tracing systems on the way noted; passed on as it came."""

    @property
    def sampled(self) -> bool:
        """Say whether the sender records its part of the trace."""
        return bool(self.flags & SAMPLED)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Return the headers as they go on to the model server."""
        parent = (PARENT, f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}")
        return (parent, (STATE, self.state)) if self.state else (parent,)


def read_trace_context(headers: Mapping[str, str]) -> TraceContext | None:
    """Read the headers of a request; broken ones count as absent, as the recommendation asks."""
    match = _PARENT.fullmatch(headers.get(PARENT, ""))
    if match is None:
        return None
    version, trace_id, span_id, flags, rest = match.groups()
    if (version == "00" and rest) or not int(trace_id, 16) or not int(span_id, 16):
        return None
    state = headers.get(STATE, "").strip()
    # Flags that this version does not know must not be passed on.
    return TraceContext(trace_id, span_id, int(flags, 16) & SAMPLED, state if _STATE.fullmatch(state) else "")

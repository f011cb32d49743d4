"""The context of a call: what goes along with it to the model server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.deadline import Deadline

CountBytes = Callable[[int, int], None]


def count_nothing(sent: int, received: int) -> None:
    """Let the sizes of the messages go."""
    del sent, received


@dataclass(frozen=True, slots=True)
class CallContext:
    """Hold what goes along with a call, and who is told of its messages."""

    deadline: Deadline
    request_id: str
    """The id under which the server's log shows the call."""
    metadata: tuple[tuple[str, str], ...] = ()
    """More metadata of the call, such as the trace that it belongs to."""
    count_bytes: CountBytes = count_nothing
    """Told the bytes sent and received; of a batch, the call's share."""

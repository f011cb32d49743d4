"""Members: calls that wait, and then are part of a batch."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Hashable, Sequence

from proxy.backend.batch import example_count, input_bytes
from proxy.backend.call import PredictCall
from proxy.backend.context import CallContext
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction

_MAX_IDS_LENGTH = 2048
"""Of the ids of a batch; servers take some 8 kB of metadata in all."""


class Member:
    """Hold one call and its answer to be."""

    def __init__(self, call: PredictCall, key: Hashable, context: CallContext, stages: Stages) -> None:
        self.call = call
        self.key = key
        self.context = context
        self.stages = stages
        self.examples = example_count(call)
        self.bytes = input_bytes(call)
        self.came = time.perf_counter()
        self.answer: asyncio.Future[Prediction] = asyncio.get_running_loop().create_future()
        self._companions: Sequence[Member] = ()
        self._sending: asyncio.Task[None] | None = None

    def join(self, companions: Sequence[Member], sending: asyncio.Task[None]) -> None:
        """Become part of a batch."""
        self._companions = companions
        self._sending = sending

    def leave(self) -> None:
        """Want no answer any more, unless it came; the last one to leave a batch cancels its call."""
        self.answer.cancel()
        if (
            self.answer.cancelled()
            and self._sending is not None
            and all(member.answer.done() for member in self._companions)
        ):
            self._sending.cancel()

    def succeed(self, prediction: Prediction) -> None:
        """Give the answer, if somebody still waits for it."""
        if not self.answer.done():
            self.answer.set_result(prediction)

    def fail(self, error: Exception) -> None:
        """Give the error, if somebody still waits."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def add_stages(self, stages: Stages) -> None:
        """Take over the times of the batch: every call of it waited for all of them."""
        for span in stages.spans:
            self.stages.add(span.stage, span.start, span.end)


def joint_context(members: Sequence[Member]) -> CallContext:
    """Return what goes along with a batch.

    Its deadline is the latest of its calls', so that one with little time fails nobody; such a call leaves by itself.
    Its trace is the first one's, its id the ids of all.
    """
    total = sum(member.examples for member in members)

    def count_bytes(sent: int, received: int) -> None:
        for member in members:
            member.context.count_bytes(sent * member.examples // total, received * member.examples // total)

    return CallContext(
        deadline=max((member.context.deadline for member in members), key=lambda deadline: deadline.moment),
        request_id=",".join(member.context.request_id for member in members)[:_MAX_IDS_LENGTH],
        metadata=members[0].context.metadata,
        count_bytes=count_bytes,
    )

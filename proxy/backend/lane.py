"""Lanes: the calls of one signature that are under way, and those that wait to be joined."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Hashable, Sequence

from proxy.backend.batch import NotSplittable, join_calls, split_prediction
from proxy.backend.call import PredictCall
from proxy.backend.caller import Caller
from proxy.backend.concurrency import Concurrency, Limit
from proxy.backend.context import CallContext
from proxy.backend.member import Member, joint_context
from proxy.backend.settings import BatchingSettings
from proxy.backend.waiting import Waiting
from proxy.backend.watcher import Watcher
from proxy.errors import BackendError
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction

# Of a batch these are everybody's: no server, no time, nobody waits. Any other may be one example's fault.
_COMMON_STATUSES = frozenset({404, 499, 503, 504})
_MAX_USELESS = 3
"""Batches in a row that failed though each of their calls succeeds alone; then the signature takes none."""


class Lane:
    """Let the calls of one signature through, as many at once as pays, and join those that wait."""

    def __init__(
        self,
        model: str,
        caller: Caller,
        settings: BatchingSettings,
        count_replicas: Callable[[], int],
        watcher: Watcher,
    ) -> None:
        self._watcher = watcher
        self._model = model
        self._caller = caller
        self._settings = settings
        self._count_replicas = count_replicas
        self._concurrency = Concurrency()
        self._waiting = Waiting()
        self._batches: set[asyncio.Task[None]] = set()
        self._under_way = 0
        self._pending = 0
        self._useless = 0
        self.is_closed = False
        """Whether batches have turned out to be impossible for this signature."""

    @property
    def waiting(self) -> int:
        """Return the number of calls that wait."""
        return len(self._waiting)

    async def predict(self, call: PredictCall, key: Hashable, context: CallContext, stages: Stages) -> Prediction:
        """Ask the model, now or joined with others; see `Caller`.

        Args:
            call: The arrays.
            key: Its joint key.
            context: What goes along.
            stages: Told the time of each step; waiting is the stage `queue`.
        """
        self._pending += 1
        window = self._concurrency.begin(self._pending)
        start = time.perf_counter()
        try:
            if self._has_room():
                prediction = await self._alone(call, context, stages)
            else:
                prediction = await self._joined(Member(call, key, context, stages))
            self._concurrency.end(window, time.perf_counter() - start)
            return prediction
        finally:
            self._pending -= 1

    async def close(self) -> None:
        """Cancel what is under way and what waits."""
        self._waiting.cancel()
        for task in self._batches:
            task.cancel()
        await asyncio.gather(*self._batches, return_exceptions=True)

    def _has_room(self) -> bool:
        return self._under_way < self._places()

    def _places(self) -> float:
        """Return how many calls may be under way."""
        fixed = self._settings.calls_per_replica
        limit: Limit = self._concurrency.limit if fixed == "adaptive" else fixed
        return math.inf if limit is None else limit * self._count_replicas()

    def _fair_share(self) -> int:
        """Return how many calls one batch takes, so that those of all places are of one size.

        Otherwise a large batch comes back as a large one for ever, and a small one beside it as a small one.
        """
        return max(1, math.ceil(self._pending / self._places()))

    async def _alone(self, call: PredictCall, context: CallContext, stages: Stages) -> Prediction:
        """Send a call by itself, at no more cost than without a lane."""
        self._under_way += 1
        try:
            return await self._caller.predict(call, context, stages)
        finally:
            self._under_way -= 1
            self._send_waiting()

    async def _joined(self, member: Member) -> Prediction:
        """Wait to be sent, and for the answer; leave the batch when the time is up or the sender gone."""
        self._waiting.add(member)
        deadline = member.context.deadline
        try:
            async with asyncio.timeout(deadline.remaining):
                return await member.answer
        except TimeoutError as error:
            raise deadline.exceeded(f"call for {self._model!r}") from error
        finally:
            self._waiting.discard(member)
            member.leave()

    def _send_waiting(self) -> None:
        """Send what waits, one batch per free place."""
        while self._waiting and self._has_room():
            settings = self._settings
            members = self._waiting.take(self._fair_share(), settings.max_batch_examples, settings.max_batch_bytes)
            self._under_way += 1
            task = asyncio.create_task(self._send(members))
            self._batches.add(task)
            # Not at the end of `_send`: a task that is cancelled before its first step never gets there.
            task.add_done_callback(self._ended)
            for member in members:
                member.join(members, task)

    async def _send(self, members: Sequence[Member]) -> None:
        now = time.perf_counter()
        for member in members:
            member.stages.add("queue", member.came, now)
            self._watcher.waited(now - member.came)
        try:
            if len(members) == 1:
                await self._single(members[0])
            else:
                await self._batch(members)
        finally:
            # Only when it was cancelled is there anybody who still waits.
            for member in members:
                member.answer.cancel()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        self._under_way -= 1
        self._send_waiting()

    async def _single(self, member: Member) -> None:
        try:
            member.succeed(await self._caller.predict(member.call, member.context, member.stages))
        except Exception as error:
            member.fail(error)

    async def _batch(self, members: Sequence[Member]) -> None:
        """Send a batch; when it fails by what may be one call's fault, send each of its calls alone."""
        stages = Stages()
        try:
            joint = join_calls([member.call for member in members])
            prediction = await self._caller.predict(joint, joint_context(members), stages)
            parts = split_prediction(prediction, [member.examples for member in members])
        except NotSplittable:
            self.is_closed = True
            await self._each_alone(members)
        except Exception as error:
            if isinstance(error, BackendError) and error.status in _COMMON_STATUSES:
                for member in members:
                    member.fail(error)
            else:
                await self._each_alone(members)
        else:
            self._useless = 0
            self._watcher.batch_sent(sum(member.examples for member in members))
            for member, part in zip(members, parts, strict=True):
                member.add_stages(stages)
                member.succeed(part)

    async def _each_alone(self, members: Sequence[Member]) -> None:
        alive = [member for member in members if not member.answer.done()]
        await asyncio.gather(*(self._single(member) for member in alive))
        if all(
            member.answer.done() and not member.answer.cancelled() and not member.answer.exception() for member in alive
        ):
            self._useless += 1
            if self._useless >= _MAX_USELESS:
                self.is_closed = True

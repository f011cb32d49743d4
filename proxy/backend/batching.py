"""Batching: calls of several senders joined into one, when the servers have enough to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.backend.batch import joint_key
from proxy.backend.call import PredictCall
from proxy.backend.caller import Caller
from proxy.backend.context import CallContext
from proxy.backend.lane import Lane
from proxy.backend.settings import BatchingSettings
from proxy.backend.watcher import UNWATCHED, Watcher
from proxy.errors import Busy
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction

_MAX_LANES = 64
"""A model has few signatures; a sender who makes names up must not fill the memory."""


class BatchingCaller:
    """Join calls while others are under way.

    There is no timer: a call that finds a place free is sent at once. Over the limit of calls under way it waits, and
    when a place comes free all that wait and fit together are sent as one, so batches form under load by themselves.
    How many places there are is learnt, see `Concurrency`.
    """

    def __init__(
        self,
        model: str,
        caller: Caller,
        settings: BatchingSettings,
        count_replicas: Callable[[], int],
        watcher: Watcher = UNWATCHED,
    ) -> None:
        self._watcher = watcher
        self._model = model
        self._caller = caller
        self._settings = settings
        self._count_replicas = count_replicas
        self._lanes: dict[str, Lane] = {}

    @property
    def waiting(self) -> int:
        """Return the number of calls that wait."""
        return sum(lane.waiting for lane in self._lanes.values())

    async def predict(self, call: PredictCall, context: CallContext, stages: Stages) -> Prediction:
        """Ask the model; see `Caller`."""
        key = joint_key(call) if self._settings.enabled else None
        lane = None if key is None else self._lane(call.signature)
        if lane is None or lane.is_closed:
            return await self._caller.predict(call, context, stages)
        if self.waiting >= self._settings.max_waiting:
            raise self._busy()
        return await lane.predict(call, key, context, stages)

    async def close(self) -> None:
        """Cancel what is under way and what waits."""
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))

    def _lane(self, signature: str) -> Lane | None:
        if signature not in self._lanes:
            if len(self._lanes) >= _MAX_LANES:
                return None
            self._lanes[signature] = Lane(
                self._model, self._caller, self._settings, self._count_replicas, self._watcher
            )
        return self._lanes[signature]

    def _busy(self) -> Busy:
        return Busy(
            where=f"calls for {self._model!r}",
            found=f"{self._settings.max_waiting} calls wait already",
            reason="More would only wait until their time is up (batching > max-waiting)",
            remedy="Try again in a second, or add replicas of the model server",
        )

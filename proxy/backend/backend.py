"""The backend of one model: its servers, what they tell of it, and its predictions."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from proxy.backend.addresses import Resolve, resolve_by_dns
from proxy.backend.batching import BatchingCaller
from proxy.backend.breaker import BreakerState
from proxy.backend.call import LATEST, PredictCall, Selector
from proxy.backend.caller import DirectCaller
from proxy.backend.channel import ModelChannel
from proxy.backend.context import CallContext
from proxy.backend.model_service import ModelService
from proxy.backend.settings import BackendSettings
from proxy.backend.signatures import ModelDescription
from proxy.backend.watcher import UNWATCHED, Watcher
from proxy.errors import BackendError, Busy, ProxyError
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction

_DEFAULTS = BackendSettings()
_NOT_FOUND = 404


class Backend:
    """Answer the calls for one model.

    Attributes:
        service: Tells of the model.
        closing: True once it takes no calls any more.
    """

    def __init__(
        self,
        model: str,
        target: str | Sequence[str],
        settings: BackendSettings = _DEFAULTS,
        resolve: Resolve = resolve_by_dns,
        watcher: Watcher = UNWATCHED,
    ) -> None:
        """Remember where the servers are; nothing is connected before the first call.

        Raises:
            ValueError: See `parse_target`.
        """
        self._model = model
        self._channel = ModelChannel(model, target, settings, resolve, watcher)
        self.service = ModelService(model, self._channel, settings)
        replicas = self._channel.replicas
        direct = DirectCaller(model, self._channel)
        self._caller = BatchingCaller(model, direct, settings.batching, lambda: replicas.ready_count, watcher)
        self._under_way = 0
        self.closing = False

    @property
    def outstanding(self) -> int:
        """Return the number of calls that are not answered yet, those that wait to be joined included."""
        return self._under_way

    def breaker_states(self) -> Mapping[BreakerState, int]:
        """Return how many replicas have their breaker in which state."""
        return self._channel.replicas.breaker_states()

    async def predict(self, call: PredictCall, context: CallContext, stages: Stages) -> Prediction:
        """Ask the model; see `Caller`.

        A version can be unloaded between the choice of it and the call. A call for the latest version, or for a label,
        is then sent once more, when the server has said which version that is now.
        """
        if self.closing:
            raise self._ends()
        self._under_way += 1
        try:
            prediction = await self._predict(call, context, stages)
        finally:
            self._under_way -= 1
        self.service.note_version(prediction.version, call.selector)
        return prediction

    async def call(self, method: str, message: bytes, context: CallContext) -> bytes:
        """Call another method of the prediction service, a constant of `channel.py`.

        Raises:
            BackendError: See `ModelChannel.call`.
            Busy: The proxy is about to end.
        """
        if self.closing:
            raise self._ends()
        self._under_way += 1
        try:
            return (await self._channel.ask(method, message, context, elsewhere_if_missing=True)).data
        finally:
            self._under_way -= 1

    async def has_changed(
        self, description: ModelDescription, context: CallContext, selector: Selector = LATEST
    ) -> bool:
        """Say whether the version that a call was prepared for is not the one that would answer it now.

        For a call that was refused with 400: its arrays may have been made for signatures which are gone.
        """
        try:
            return (await self.service.refresh(context, selector)).version != description.version
        except ProxyError:
            return False

    async def close(self, grace_seconds: float = 0.0) -> None:
        """Take no more calls, let those under way end within a time, and close the connections."""
        self.closing = True
        until = time.monotonic() + grace_seconds
        while self._under_way and time.monotonic() < until:  # noqa: ASYNC110 - this happens once, at the end
            await asyncio.sleep(0.02)
        await self._caller.close()
        await self.service.close()
        await self._channel.close()

    async def _predict(self, call: PredictCall, context: CallContext, stages: Stages) -> Prediction:
        try:
            return await self._caller.predict(call, context, stages)
        except BackendError as error:
            if error.status != _NOT_FOUND or call.selector.version is not None:
                raise
            await self._find_again(call.selector, context, error)
            return await self._caller.predict(call, context, stages)

    async def _find_again(self, selector: Selector, context: CallContext, error: BackendError) -> None:
        """Ask which version there is now; a model that is not there keeps its first error."""
        try:
            await self.service.refresh(context, selector)
        except ProxyError:
            raise error from None

    def _ends(self) -> Busy:
        return Busy(
            where=f"calls for {self._model!r}",
            found="the proxy is about to end",
            reason="It finishes what it has begun and begins nothing new",
            remedy="Send the request again; another proxy or the next one answers it",
        )

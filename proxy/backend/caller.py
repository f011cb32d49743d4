"""Callers: how a call becomes a prediction; alone here, joined with others in `batching.py`."""

from __future__ import annotations

import time
from typing import Protocol

from proxy.backend.call import LATEST, PredictCall
from proxy.backend.channel import PREDICT, ModelChannel
from proxy.backend.context import CallContext
from proxy.backend.replica import Reply
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction, read_predict_response, write_predict_request


class Caller(Protocol):
    """Turn a call into a prediction."""

    async def predict(self, call: PredictCall, context: CallContext, stages: Stages) -> Prediction:
        """Ask the model.

        Args:
            call: The arrays for one signature.
            context: What goes along.
            stages: Told the time of each step.

        Raises:
            BackendError: The server answered an error, could not be reached, or not in time.
            AnswerInvalid: Its answer cannot be read.
            Busy: Too many calls wait.
            DeadlineExceeded: The call's time passed while it waited.
        """
        ...


class DirectCaller:
    """Send every call by itself.

    Messages are written and read on the event loop: both are so cheap that a thread would cost more.
    """

    def __init__(self, model: str, channel: ModelChannel) -> None:
        self._model = model
        self._channel = channel

    async def predict(self, call: PredictCall, context: CallContext, stages: Stages) -> Prediction:
        """Ask the model; see `Caller`."""
        with stages.time("encode"):
            message = write_predict_request(self._model, call)
        # A number that a sender chose may well be missing everywhere; the latest version is not.
        reply = await self._timed(message, context, stages, elsewhere_if_missing=call.selector == LATEST)
        context.count_bytes(len(message), len(reply.data))
        with stages.time("decode-answer"):
            return read_predict_response(reply.data)

    async def _timed(
        self, message: bytes, context: CallContext, stages: Stages, *, elsewhere_if_missing: bool
    ) -> Reply:
        """Send a message; what the server does not need for itself of the time is the wire's."""
        start = time.perf_counter()
        try:
            reply = await self._channel.ask(PREDICT, message, context, elsewhere_if_missing=elsewhere_if_missing)
        except BaseException:
            stages.add("model", start, time.perf_counter())
            raise
        end = time.perf_counter()
        arrived = start
        if reply.processing_seconds is not None:
            arrived = max(start, end - reply.processing_seconds)
            stages.add("wire", start, arrived)
        stages.add("model", arrived, end)
        return reply

"""The pipeline of one model: body, arrays, message, gRPC, message, arrays, answer."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import cv2

from proxy.card import ModelCard
from proxy.channel import PREDICT, ModelChannel
from proxy.config import Limits
from proxy.exchange import Exchange
from proxy.model_service import ModelService
from proxy.predictions import read_predict_response, write_predict_request
from proxy.tasks import PreparedTask, Subject, Task

T = TypeVar("T")


class Workers:
    """Run the steps that take a core, as many at once as there are cores."""

    def __init__(self) -> None:
        # The pool is the only parallelism; OpenCV's own threads on top would only take turns with it.
        cv2.setNumThreads(1)
        self._pool = ThreadPoolExecutor(len(os.sched_getaffinity(0)), thread_name_prefix="worker")

    async def run(self, step: Callable[..., T], *arguments: Any) -> T:
        """Run a step on a thread and wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, step, *arguments)

    def close(self) -> None:
        """Let the threads end, without waiting for a step that nobody waits for any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class Pipeline:
    """Answer the requests for one model."""

    def __init__(self, model: str, channel: ModelChannel, card: ModelCard, limits: Limits, workers: Workers) -> None:
        self.model = model
        self.service = ModelService(model, channel)
        self._channel = channel
        self._card = card
        self._limits = limits
        self._workers = workers

    async def predict(self, task: Task, body: bytes, exchange: Exchange) -> bytes:
        """Take a body through all steps.

        Args:
            task: What to do with the body.
            body: The picture's or the document's bytes.
            exchange: The request, for its deadline and its measurements.

        Returns:
            The JSON document of the answer.

        Raises:
            ProxyError: Any step may refuse; see `errors.py`.
        """
        context = exchange.call_context()
        description = await self.service.describe(context)
        subject = Subject(model=self.model, card=self._card, description=description, limits=self._limits)
        prepared, message = await self._workers.run(self._prepare, task, body, subject, exchange)
        with exchange.stages.time("model"):
            reply = await self._channel.call(PREDICT, message, context)
        exchange.model_bytes(sent=len(message), received=len(reply))
        answer, version = await self._workers.run(self._finish, prepared, reply, exchange)
        self.service.note_version(version)
        return answer

    async def close(self) -> None:
        """Close the way to the model server."""
        await self._channel.close()

    def _prepare(self, task: Task, body: bytes, subject: Subject, exchange: Exchange) -> tuple[PreparedTask, bytes]:
        """Turn the body into the message; the decoded picture lives no longer than this step."""
        prepared = task(body, subject, exchange.stages)
        with exchange.stages.time("encode"):
            return prepared, write_predict_request(self.model, prepared.signature, prepared.arrays)

    def _finish(self, prepared: PreparedTask, reply: bytes, exchange: Exchange) -> tuple[bytes, int]:
        """Turn the model server's message into the answer."""
        with exchange.stages.time("decode-answer"):
            prediction = read_predict_response(reply)
        with exchange.stages.time("postprocess"):
            return prepared.write_answer(prediction), prediction.version

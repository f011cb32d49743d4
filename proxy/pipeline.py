"""The pipeline of one model: body, arrays, message, gRPC, message, arrays, answer."""

from __future__ import annotations

from proxy.backend.channel import PREDICT, ModelChannel
from proxy.backend.model_service import ModelService
from proxy.backend.signatures import ModelDescription
from proxy.card import ModelCard
from proxy.config import Limits
from proxy.limits import PixelBudget
from proxy.tasks import PreparedTask, Subject, Task
from proxy.telemetry.exchange import Exchange
from proxy.wire.predictions import read_predict_response, write_predict_request
from proxy.workers import Workers


class Pipeline:
    """Answer the requests for one model."""

    def __init__(
        self,
        *,
        model: str,
        channel: ModelChannel,
        card: ModelCard,
        limits: Limits,
        workers: Workers,
        pixel_budget: PixelBudget,
    ) -> None:
        self.model = model
        self.service = ModelService(model, channel)
        self._channel = channel
        self._card = card
        self._limits = limits
        self._workers = workers
        self._pixel_budget = pixel_budget

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
        subject = self._subject(description, exchange)
        prepared, message = await self._workers.run(self._prepare, task, body, subject, exchange)
        with exchange.stages.time("model"):
            reply = await self._channel.call(PREDICT, message, context)
        exchange.model_bytes(sent=len(message), received=len(reply))
        answer, version = await self._workers.run(self._finish, prepared, reply, exchange)
        self.service.note_version(version)
        return answer

    def _subject(self, description: ModelDescription, exchange: Exchange) -> Subject:
        return Subject(
            model=self.model,
            card=self._card,
            description=description,
            limits=self._limits,
            pixel_budget=self._pixel_budget,
            deadline=exchange.deadline,
        )

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

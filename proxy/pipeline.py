"""The pipeline of one model: body, arrays, message, gRPC, message, arrays, answer."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.backend.call import LATEST, Selector
from proxy.backend.channel import PREDICT, ModelChannel
from proxy.backend.model_service import ModelService
from proxy.backend.signatures import ModelDescription
from proxy.card import ModelCard
from proxy.config import Limits
from proxy.limits import PixelBudget
from proxy.outputs.answer import Answer
from proxy.outputs.media import Media
from proxy.outputs.result import Result
from proxy.outputs.style import Style
from proxy.outputs.writers import check_writable, write_answer
from proxy.tasks.options import NO_OPTIONS, Options
from proxy.tasks.task import PreparedTask, Subject, Task
from proxy.telemetry.exchange import Exchange
from proxy.wire.predictions import Prediction, read_predict_response, write_predict_request
from proxy.workers import Workers


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Hold what a request asks for, beside its body."""

    selector: Selector = LATEST
    options: Options = NO_OPTIONS
    media: Media = Media.JSON


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
        self.card = card
        self.service = ModelService(model, channel)
        self._channel = channel
        self._limits = limits
        self._workers = workers
        self._pixel_budget = pixel_budget

    async def predict(self, task: Task, wish: Wish, exchange: Exchange) -> Answer:
        """Take a body through all steps.

        Args:
            task: What to do with the body, which it holds.
            wish: What is asked for.
            exchange: The request, for its deadline and its measurements.

        Raises:
            ProxyError: Any step may refuse; see `errors.py`.
        """
        result = await self.ask(task, wish, exchange)
        return await self._workers.run(self._write, result, wish, exchange)

    async def ask(self, task: Task, wish: Wish, exchange: Exchange) -> Result:
        """Take a body through all steps but the writing of the answer.

        Raises:
            ProxyError: Any step may refuse; see `errors.py`.
        """
        description = await self.service.describe(exchange.call_context())
        subject = self._subject(description, wish, exchange)
        prepared = await self._workers.run(_prepare, task, subject, exchange)
        prediction = await self._predict(prepared, exchange)
        self.service.note_version(prediction.version)
        return await self._workers.run(_interpret, prepared, prediction, exchange)

    async def close(self) -> None:
        """Close the way to the model server."""
        await self._channel.close()

    async def _predict(self, prepared: PreparedTask, exchange: Exchange) -> Prediction:
        with exchange.stages.time("encode"):
            message = write_predict_request(self.model, prepared.call)
        with exchange.stages.time("model"):
            reply = await self._channel.call(PREDICT, message, exchange.call_context())
        exchange.model_bytes(sent=len(message), received=len(reply))
        with exchange.stages.time("decode-answer"):
            return read_predict_response(reply)

    def _subject(self, description: ModelDescription, wish: Wish, exchange: Exchange) -> Subject:
        return Subject(
            model=self.model,
            card=self.card,
            description=description,
            selector=wish.selector,
            options=wish.options,
            media=wish.media,
            limits=self._limits,
            pixel_budget=self._pixel_budget,
            deadline=exchange.deadline,
        )

    def _write(self, result: Result, wish: Wish, exchange: Exchange) -> Answer:
        style = Style(model=self.model, card=self.card, media=wish.media, decimals=wish.options.round)
        with exchange.stages.time("write"):
            return write_answer(result, style)


def _prepare(task: Task, subject: Subject, exchange: Exchange) -> PreparedTask:
    """Turn the body into the arrays of a call; the decoded picture lives no longer than this step."""
    prepared = task(subject, exchange.stages)
    check_writable(prepared.kind, subject.media)
    return prepared


def _interpret(prepared: PreparedTask, prediction: Prediction, exchange: Exchange) -> Result:
    with exchange.stages.time("postprocess"):
        return prepared.interpret(prediction)

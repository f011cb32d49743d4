"""The pipeline of one model: body, arrays, message, gRPC, message, arrays, answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.backend.backend import Backend
from proxy.backend.call import LATEST, Selector
from proxy.backend.signatures import ModelDescription
from proxy.card import ModelCard
from proxy.config import Limits
from proxy.errors import BackendError
from proxy.limits import PixelBudget
from proxy.outputs.answer import Answer
from proxy.outputs.media import Media, not_acceptable
from proxy.outputs.result import Result
from proxy.outputs.style import Style
from proxy.outputs.writers import check_writable, write_answer
from proxy.tasks.examples import ExamplesVerb
from proxy.tasks.options import NO_OPTIONS, Options
from proxy.tasks.task import PreparedTask, Subject, Task
from proxy.telemetry.exchange import Exchange
from proxy.wire.predictions import Prediction
from proxy.workers import Workers

_BAD_REQUEST = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Hold what a request asks for, beside its body."""

    selector: Selector = LATEST
    options: Options = NO_OPTIONS
    media: Media = Media.JSON

    def check_json(self) -> None:
        """Refuse another form of the answer than JSON.

        Raises:
            NotAcceptable: See above.
        """
        if self.media is not Media.JSON:
            raise not_acceptable(self.media.value, "This is answered as application/json")


class Pipeline:
    """Answer the requests for one model."""

    def __init__(
        self,
        *,
        model: str,
        backend: Backend,
        card: ModelCard,
        limits: Limits,
        workers: Workers,
        pixel_budget: PixelBudget,
        count_signature: Callable[[str], None],
    ) -> None:
        self.model = model
        self.card = card
        self.backend = backend
        self._limits = limits
        self._workers = workers
        self._pixel_budget = pixel_budget
        self._count_signature = count_signature

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

    async def examples(self, verb: ExamplesVerb, body: bytes, wish: Wish, exchange: Exchange) -> Answer:
        """Take a JSON body with examples through all steps.

        Raises:
            ProxyError: Any step may refuse; see `errors.py`.
        """
        message = await self._workers.run(verb.message, body, self.model, wish.selector, exchange.stages)
        with exchange.stages.time("model"):
            reply = await self.backend.call(verb.method, message, exchange.call_context())
        with exchange.stages.time("write"):
            return Answer(verb.answer(reply, wish.options.round))

    async def ask(self, task: Task, wish: Wish, exchange: Exchange) -> Result:
        """Take a body through all steps but the writing of the answer.

        Raises:
            ProxyError: Any step may refuse; see `errors.py`.
        """
        context = exchange.call_context()
        description = await self.backend.service.describe(context, wish.selector)
        try:
            return await self._ask(description, task, wish, exchange)
        except BackendError as error:
            # The arrays may have been made for a version that is gone; a request that is wrong for both stays wrong.
            if error.status != _BAD_REQUEST or not await self.backend.has_changed(description, context, wish.selector):
                raise
        description = await self.backend.service.describe(context, wish.selector)
        return await self._ask(description, task, wish, exchange)

    async def _ask(self, description: ModelDescription, task: Task, wish: Wish, exchange: Exchange) -> Result:
        subject = self._subject(description, wish, exchange)
        prepared = await self._workers.run(_prepare, task, subject, exchange)
        prediction = await self.backend.predict(prepared.call, exchange.call_context(), exchange.stages)
        self._count_signature(prepared.call.signature)
        exchange.version = prediction.version
        return await self._workers.run(_interpret, prepared, prediction, exchange)

    def style(self, wish: Wish) -> Style:
        """Return how the answers to a wish are written."""
        return Style(model=self.model, card=self.card, media=wish.media, decimals=wish.options.round)

    async def close(self, grace_seconds: float) -> None:
        """Let the calls under way end within a time, and close the way to the model servers."""
        await self.backend.close(grace_seconds)

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
        with exchange.stages.time("write"):
            return write_answer(result, self.style(wish))


def _prepare(task: Task, subject: Subject, exchange: Exchange) -> PreparedTask:
    """Turn the body into the arrays of a call; the decoded picture lives no longer than this step."""
    prepared = task(subject, exchange.stages)
    check_writable(prepared.kind, subject.media)
    return prepared


def _interpret(prepared: PreparedTask, prediction: Prediction, exchange: Exchange) -> Result:
    with exchange.stages.time("postprocess"):
        return prepared.interpret(prediction)

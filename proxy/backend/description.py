"""The description of one version or label of a model: how long it is believed, and when it is asked for again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from proxy.backend.context import CallContext
from proxy.backend.settings import BackendSettings
from proxy.backend.signatures import ModelDescription
from proxy.deadline import Deadline
from proxy.errors import ProxyError

Ask = Callable[[CallContext], Awaitable[ModelDescription]]

_ASKING_SECONDS = 5.0
"""How long one question may take. It is shared, so its time is not that of the request which happened to be first."""
_LEAST_PAUSE_SECONDS = 0.25
"""Between two questions that answers of other versions cause: two replicas may be of two versions for a while."""


class KnownDescription:
    """Remember a description, and ask for it again without a crowd.

    It is fresh for `describe_seconds`. For as long again it is served at once, while one question goes on in the
    background; then, and after the first answer from another version, requests wait for the new one.
    """

    def __init__(
        self, ask: Ask, settings: BackendSettings, what: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._fresh_seconds = settings.describe_seconds
        self._stale_seconds = settings.stale_seconds
        self._what = what
        self._known: ModelDescription | None = None
        self._pause_until = float("-inf")
        self._answered_at = float("-inf")
        self._is_outdated = False
        self._asking: asyncio.Task[ModelDescription] | None = None
        self.used_at = self._clock()

    @property
    def is_asking(self) -> bool:
        """Say whether a question is under way."""
        return self._asking is not None and not self._asking.done()

    async def current(self, context: CallContext) -> ModelDescription:
        """Return the description, asking when what is known is too old; see `ModelService.describe`."""
        self.used_at = self._clock()
        age = self.used_at - self._answered_at
        if self._is_outdated and self.used_at > self._pause_until:
            self._pause_until = self.used_at + _LEAST_PAUSE_SECONDS
            return await self._ask_or_stale(context)
        if self._known is None or age > 2 * self._fresh_seconds:
            return await self._ask_or_stale(context)
        if age > self._fresh_seconds:
            self._begin(context)
        return self._known

    async def ask_now(self, context: CallContext) -> ModelDescription:
        """Wait for the answer to a question, this one or the one under way; see `ModelService.refresh`."""
        try:
            async with asyncio.timeout(context.deadline.remaining):
                return await asyncio.shield(self._begin(context))
        except TimeoutError as error:
            raise context.deadline.exceeded(self._what) from error

    def note_version(self, version: int) -> None:
        """Have it asked for again when an answer came from another version."""
        if self._known is not None and self._known.version != version:
            self._is_outdated = True

    async def close(self) -> None:
        """Give up the question under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask_or_stale(self, context: CallContext) -> ModelDescription:
        try:
            return await self.ask_now(context)
        except ProxyError:
            if self._known is None or self._clock() - self._answered_at > self._fresh_seconds + self._stale_seconds:
                raise
            return self._known

    def _begin(self, context: CallContext) -> asyncio.Task[ModelDescription]:
        if self._asking is None or self._asking.done():
            shared = CallContext(Deadline.after(_ASKING_SECONDS), context.request_id, context.metadata)
            self._asking = asyncio.create_task(self._question(shared))
            # A question in the background may fail with nobody waiting; the next one tells.
            self._asking.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._asking

    async def _question(self, context: CallContext) -> ModelDescription:
        self._known = await self._ask(context)
        self._answered_at = self._clock()
        self._is_outdated = False
        return self._known

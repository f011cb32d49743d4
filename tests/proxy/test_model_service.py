"""What is known of a model: asked for once, again after a new version, and served while nobody can be asked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import grpc
import numpy as np
import pytest

from proxy.backend.backend import Backend
from proxy.backend.call import LATEST, Selector
from proxy.backend.context import CallContext
from proxy.backend.description import KnownDescription
from proxy.backend.settings import BackendSettings
from proxy.backend.signatures import ModelDescription
from proxy.errors import BackendError, Busy, DeadlineExceeded
from proxy.telemetry.stages import Stages
from tests.proxy.backends import ask, backend, call_of, context
from tests.proxy.fake_server import FLOAT, Arrays, FakeModel, FakeServer, StatusError, serving


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """A server with one model."""
    vector = (FLOAT, [-1])
    with serving({"m": FakeModel({"x": vector}, {"y": vector}, lambda arrays: {"y": arrays["x"]})}) as fake:
        yield fake


async def described(made: Backend, selector: Selector = LATEST) -> int:
    """Return the version that is described."""
    return (await made.service.describe(context(), selector)).version


async def test_however_many_ask_the_server_is_asked_once(server: FakeServer) -> None:
    async with backend("m", server.address) as made:
        assert await asyncio.gather(*(described(made) for _ in range(50))) == [1] * 50
        assert server.metadata_calls == 1


async def test_who_leaves_while_asking_takes_nothing_from_the_others(server: FakeServer) -> None:
    async with backend("m", server.address) as made:
        first, second = asyncio.create_task(described(made)), asyncio.create_task(described(made))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == 1
        assert server.metadata_calls == 1


class Source:
    """Tell a version, or fail, at a time that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.version: int | None = 1
        settings = BackendSettings.model_validate({"describe-seconds": 5, "stale-seconds": 30})
        self.known = KnownDescription(self._tell, settings, "metadata of 'm'", lambda: self.now)

    async def _tell(self, context: CallContext) -> ModelDescription:
        if self.version is None:
            raise Busy("here", "nothing", "It is a test", "Go on")
        return ModelDescription(version=self.version, signatures={})

    async def at(self, now: float) -> int:
        """Return the version that is known at a time, and let what is asked in the background be answered."""
        self.now = now
        version = (await self.known.current(context())).version
        await asyncio.sleep(0.01)
        return version


async def test_an_old_description_is_served_while_a_new_one_is_asked_for() -> None:
    source = Source()
    assert await source.at(0) == 1
    source.version = 2
    assert [await source.at(4.9), await source.at(5.1), await source.at(5.2)] == [1, 1, 2]
    source.version = 3
    # Too old to be served at all: nobody has asked for a long time.
    assert await source.at(20) == 3


async def test_what_was_known_serves_on_while_nobody_can_be_asked_but_not_for_ever() -> None:
    source = Source()
    assert await source.at(0) == 1
    source.version = None
    assert [await source.at(6), await source.at(20), await source.at(34.9)] == [1, 1, 1]
    with pytest.raises(Busy):
        await source.at(35.1)
    source.version = 2
    assert await source.at(36) == 2


async def test_an_answer_of_another_version_has_the_signatures_asked_for_again(server: FakeServer) -> None:
    async with backend("m", server.address) as made:
        assert await described(made) == 1
        server.models["m"].version = 2
        assert (await ask(made, call_of([1]))).version == 2
        assert await described(made) == 2


async def test_two_versions_side_by_side_are_no_storm_of_questions(server: FakeServer) -> None:
    async with backend("m", server.address) as made:
        await described(made)
        for version in range(2, 102):
            server.models["m"].version = version
            await ask(made, call_of([1]))
            await described(made)
        assert server.metadata_calls < 50


async def test_versions_and_labels_are_known_apart(server: FakeServer) -> None:
    async with backend("m", server.address) as made:
        for selector in (Selector(), Selector(version=1), Selector(version=2), Selector(label="stable")):
            await described(made, selector)
            await described(made, selector)
        assert server.metadata_calls == 4


async def test_a_question_has_the_time_of_its_request() -> None:
    # It takes the connection and says nothing.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        async with backend("m", f"127.0.0.1:{silent.getsockname()[1]}") as made:
            with pytest.raises(DeadlineExceeded, match=r"metadata of 'm': not done within 0\.1 s"):
                await made.service.describe(context(0.1))


class Unloading:
    """Answer NOT_FOUND some times, as a server whose latest version is just being replaced."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, arrays: Arrays) -> Arrays:
        if self.times:
            self.times -= 1
            raise StatusError(grpc.StatusCode.NOT_FOUND, "Servable not found for request: Latest(m)")
        return {"y": np.float32([1])}


@pytest.mark.parametrize(
    ("selector", "times", "answered"),
    [
        (Selector(), 1, True),
        (Selector(label="stable"), 1, True),
        (Selector(version=1), 1, False),
        (Selector(), 2, False),
    ],
    ids=["latest", "label", "a version that the sender names", "gone twice"],
)
async def test_a_version_that_was_just_unloaded_is_replaced_by_the_latest(
    selector: Selector, times: int, answered: bool
) -> None:
    vector = (FLOAT, [-1])
    with serving({"m": FakeModel({"x": vector}, {"y": vector}, Unloading(times))}) as server:
        async with backend("m", server.address, batching={"enabled": False}) as made:
            if answered:
                assert (await ask(made, call_of([1], selector=selector))).outputs["y"].tolist() == [1]
            else:
                with pytest.raises(BackendError, match="NOT_FOUND"):
                    await ask(made, call_of([1], selector=selector))


async def test_whoever_was_refused_can_ask_whether_the_model_has_changed(server: FakeServer) -> None:
    async with backend("m", server.address) as made:
        description = await made.service.describe(context())
        assert not await made.has_changed(description, context())
        server.models["m"].version = 2
        assert await made.has_changed(description, context())


async def test_the_wires_time_is_known_where_the_server_tells_its_own(server: FakeServer) -> None:
    async with backend("m", server.address) as made:
        stages = Stages()
        await made.predict(call_of([1]), context(), stages)
        assert "wire" not in stages.seconds
        server.processing_seconds = "0.0001"
        stages = Stages()
        await made.predict(call_of([1]), context(), stages)
        assert stages.seconds["model"] == pytest.approx(0.0001)
        assert stages.seconds["wire"] > 0
        server.processing_seconds = "nonsense"
        stages = Stages()
        await made.predict(call_of([1]), context(), stages)
        assert "wire" not in stages.seconds

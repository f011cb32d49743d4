"""Calls of several senders as one: what is joined, what each gets back, and what one cannot do to others."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
import pytest

from proxy.backend.backend import Backend
from proxy.backend.call import PredictCall
from proxy.errors import BackendError, Busy, DeadlineExceeded
from proxy.telemetry.stages import Stages
from proxy.wire.predictions import Prediction
from tests.proxy.backends import ask, backend, call_of, context
from tests.proxy.fake_server import FLOAT, Arrays, FakeModel, FakeServer, StatusError, serving

GATE = -1.0
"""An example that holds its call until the test opens the gate."""


@dataclass
class Doubler:
    """Double the examples, noting the batches that come."""

    batches: list[list[float]] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    at_gate: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    answer: Callable[[np.ndarray], Arrays] = lambda x: {"y": x * 2}

    def __call__(self, arrays: Arrays) -> Arrays:
        x = arrays["x"]
        self.batches.append(x[:, 0].tolist())
        if GATE in x:
            self.at_gate.release()
            self.gate.wait(timeout=20)
        return self.answer(x)


@pytest.fixture
def model() -> Iterator[Doubler]:
    """A model of one's own for each test."""
    doubler = Doubler()
    yield doubler
    doubler.gate.set()


@pytest.fixture
def server(model: Doubler) -> Iterator[FakeServer]:
    """A server with the model."""
    vector = {"x": (FLOAT, [-1, 2])}
    with serving({"double": FakeModel(vector, {"y": (FLOAT, [-1, 2])}, model)}) as fake:
        yield fake
        model.gate.set()


def row(value: float, count: int = 1) -> PredictCall:
    """Make a call of some equal examples."""
    return call_of(np.full((count, 2), value))


@asynccontextmanager
async def busy(server: FakeServer, model: Doubler, **settings: Any) -> AsyncIterator[Backend]:
    """Make a backend with one place, which is taken until the gate opens."""
    batching = {"calls-per-replica": 1, **settings}
    async with backend("double", server.address, batching=batching) as made:
        first = asyncio.create_task(ask(made, row(GATE)))
        assert await asyncio.to_thread(model.at_gate.acquire, timeout=5)
        yield made
        model.gate.set()
        await first


async def begun(*calls: Any) -> list[asyncio.Task[Prediction]]:
    """Start calls in order, and let each come to where it waits."""
    tasks = [asyncio.create_task(call) for call in calls]
    await asyncio.sleep(0.02)
    return tasks


async def test_a_single_sender_never_waits(server: FakeServer, model: Doubler) -> None:
    async with backend("double", server.address, batching={"calls-per-replica": 1}) as made:
        for value in range(5):
            assert (await ask(made, row(value))).outputs["y"].tolist() == [[2 * value, 2 * value]]
    assert model.batches == [[value] for value in range(5)]


async def test_those_who_wait_are_sent_as_one_and_each_gets_its_own(server: FakeServer, model: Doubler) -> None:
    async with busy(server, model) as made:
        tasks = await begun(*(ask(made, row(value, count)) for value, count in ((1, 1), (2, 3), (3, 2))))
        model.gate.set()
        answers = await asyncio.gather(*tasks)
    assert model.batches == [[GATE], [1, 2, 2, 2, 3, 3]]
    assert [answer.outputs["y"][:, 0].tolist() for answer in answers] == [[2], [4, 4, 4], [6, 6]]


async def test_what_differs_is_not_joined(server: FakeServer, model: Doubler) -> None:
    calls = {
        "wide": call_of([[1, 1, 1]]),
        "unbatched": call_of([[2, 2]], batched=()),
        "threshold": call_of([[3, 3]], threshold=np.float32(0.5)),
        "other threshold": call_of([[4, 4]], threshold=np.float32(0.6)),
        "same threshold": call_of([[5, 5]], threshold=np.float32(0.5)),
    }
    async with busy(server, model) as made:
        tasks = await begun(*(ask(made, call) for call in calls.values()))
        model.gate.set()
        await asyncio.gather(*tasks)
    assert sorted(model.batches[1:]) == [[1], [2], [3, 5], [4]]


async def test_a_batch_is_bounded_in_examples_and_bytes(server: FakeServer, model: Doubler) -> None:
    async with busy(server, model, **{"max-batch-examples": 4, "max-batch-mib": 24 / 2**20}) as made:
        tasks = await begun(*(ask(made, row(value, count)) for value, count in ((1, 2), (2, 1), (3, 1), (4, 9))))
        model.gate.set()
        await asyncio.gather(*tasks)
    assert model.batches[1:] == [[1, 1, 2], [3], [4] * 9]


async def test_the_earliest_deadline_goes_first(server: FakeServer, model: Doubler) -> None:
    async with busy(server, model, **{"max-batch-examples": 1}) as made:
        tasks = await begun(*(ask(made, row(seconds), seconds) for seconds in (9, 5, 7)))
        model.gate.set()
        await asyncio.gather(*tasks)
    assert model.batches[1:] == [[5], [7], [9]]


async def test_who_leaves_or_is_late_is_not_sent(server: FakeServer, model: Doubler) -> None:
    async with busy(server, model) as made:
        leaving, late, staying = await begun(ask(made, row(1)), ask(made, row(2), 0.1), ask(made, row(3)))
        leaving.cancel()
        with pytest.raises(DeadlineExceeded, match=r"call for 'double': not done within 0\.1 s"):
            await late
        model.gate.set()
        assert (await staying).outputs["y"].tolist() == [[6, 6]]
    assert model.batches[1:] == [[3]]


async def test_who_leaves_a_batch_under_way_leaves_the_others_in_peace(server: FakeServer, model: Doubler) -> None:
    async with busy(server, model) as made:
        leaving, late, staying = await begun(ask(made, row(GATE)), ask(made, row(2), 0.3), ask(made, row(3)))
        # The gate is for the first call alone: let it pass, and hold the batch.
        model.gate.set()
        model.gate = threading.Event()
        assert await asyncio.to_thread(model.at_gate.acquire, timeout=5)
        leaving.cancel()
        with pytest.raises(DeadlineExceeded):
            await late
        model.gate.set()
        assert (await staying).outputs["y"].tolist() == [[6, 6]]
    assert [sorted(batch) for batch in model.batches[1:]] == [[GATE, 2, 3]]


async def test_the_last_one_to_leave_cancels_the_batch(server: FakeServer, model: Doubler) -> None:
    async with busy(server, model) as made:
        tasks = await begun(ask(made, row(GATE)), ask(made, row(2)))
        model.gate.set()
        model.gate = threading.Event()
        assert await asyncio.to_thread(model.at_gate.acquire, timeout=5)
        for task in tasks:
            task.cancel()
        # The place is free at once: the gate is still shut.
        assert (await ask(made, row(5), 5)).outputs["y"].tolist() == [[10, 10]]
        model.gate.set()


async def test_one_bad_example_fails_its_own_sender_alone(server: FakeServer, model: Doubler) -> None:
    def answer(x: np.ndarray) -> Arrays:
        if 13 in x:
            raise StatusError(grpc.StatusCode.INVALID_ARGUMENT, "thirteen")
        return {"y": x * 2}

    model.answer = answer
    async with busy(server, model) as made:
        tasks = await begun(*(ask(made, row(value)) for value in (1, 13, 3)))
        model.gate.set()
        first, bad, last = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(bad, BackendError)
    assert bad.status == 400
    assert [answer.outputs["y"].tolist() for answer in (first, last)] == [[[2, 2]], [[6, 6]]]


async def test_a_server_that_is_gone_is_everybodys_and_not_asked_once_more_each(
    server: FakeServer, model: Doubler
) -> None:
    def answer(x: np.ndarray) -> Arrays:
        if GATE in x:
            return {"y": x}
        raise StatusError(grpc.StatusCode.UNAVAILABLE, "gone")

    model.answer = answer
    async with busy(server, model) as made:
        tasks = await begun(*(ask(made, row(value)) for value in range(3)))
        model.gate.set()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answer.status for answer in answers] == [503] * 3
    assert model.batches[1:] == [[0, 1, 2]] * 3


@pytest.mark.parametrize(
    "answer",
    [lambda x: {"y": x * 2, "total": x.sum(keepdims=True)}, lambda x: {"y": x * 2, "total": np.float32(1.0)}],
    ids=["one row for all", "a scalar"],
)
async def test_outputs_that_do_not_count_the_examples_end_the_joining(
    server: FakeServer, model: Doubler, answer: Callable[[np.ndarray], Arrays]
) -> None:
    model.answer = answer
    async with busy(server, model) as made:
        tasks = await begun(*(ask(made, row(value)) for value in range(3)))
        model.gate.set()
        answers = await asyncio.gather(*tasks)
        assert [answer.outputs["y"].tolist() for answer in answers] == [[[2 * value] * 2] for value in range(3)]
        assert model.batches[1] == [0, 1, 2]
        del model.batches[:]
        await asyncio.gather(*(ask(made, row(value)) for value in range(6)))
    assert sorted(model.batches) == [[value] for value in range(6)]


async def test_a_model_that_fails_on_every_batch_is_soon_not_batched(server: FakeServer, model: Doubler) -> None:
    def answer(x: np.ndarray) -> Arrays:
        if len(x) > 1:
            raise StatusError(grpc.StatusCode.INTERNAL, "a reshape to one example")
        return {"y": x * 2}

    model.answer = answer
    async with backend("double", server.address, batching={"calls-per-replica": 1}) as made:
        for _ in range(8):
            answers = await asyncio.gather(*(ask(made, row(value)) for value in range(4)))
            assert [answer.outputs["y"].tolist() for answer in answers] == [[[2 * value] * 2] for value in range(4)]
    assert len([batch for batch in model.batches if len(batch) > 1]) == 3


async def test_more_than_may_wait_are_refused(server: FakeServer, model: Doubler) -> None:
    async with busy(server, model, **{"max-waiting": 2}) as made:
        tasks = await begun(ask(made, row(1)), ask(made, row(2)))
        with pytest.raises(Busy, match=r"calls for 'double': 2 calls wait already\. .*max-waiting") as refused:
            await ask(made, row(3))
        assert refused.value.retry_after_seconds == 1
        model.gate.set()
        await asyncio.gather(*tasks)
    assert model.batches[1:] == [[1, 2]]


async def test_each_sender_is_told_its_share_of_times_and_bytes(server: FakeServer, model: Doubler) -> None:
    counted: list[tuple[int, int]] = []
    stages = [Stages(), Stages()]
    async with busy(server, model) as made:
        calls = zip((1, 3), stages, strict=True)
        tasks = await begun(
            *(
                made.predict(row(7, count), context(count_bytes=lambda *sizes: counted.append(sizes)), stage)
                for count, stage in calls
            )
        )
        model.gate.set()
        await asyncio.gather(*tasks)
    assert all({"encode", "model", "decode-answer"} <= set(stage.seconds) for stage in stages)
    assert len(counted) == 2
    assert all(small > 0 and 3 * small <= large <= 3 * small + 3 for small, large in zip(*counted, strict=True))
    assert server.request_ids[-1] == "test,test"


async def test_a_backend_that_ends_finishes_what_it_has_begun(server: FakeServer, model: Doubler) -> None:
    async with busy(server, model) as made:
        tasks = await begun(ask(made, row(1)), ask(made, row(2)))
        closing = asyncio.create_task(made.close(grace_seconds=5))
        await asyncio.sleep(0.05)
        with pytest.raises(Busy, match="the proxy is about to end"):
            await ask(made, row(3))
        assert made.outstanding == 3
        model.gate.set()
        answers = await asyncio.gather(*tasks)
        await closing
    assert [answer.outputs["y"].tolist() for answer in answers] == [[[2, 2]], [[4, 4]]]


async def test_places_share_what_waits(server: FakeServer, model: Doubler) -> None:
    """With two places, a batch takes half of the calls, so that the other place is left as many."""
    async with backend("double", server.address, batching={"calls-per-replica": 2}) as made:
        tasks = await begun(*(ask(made, row(GATE)) for _ in range(2)), *(ask(made, row(value)) for value in range(6)))
        for _ in range(2):
            assert await asyncio.to_thread(model.at_gate.acquire, timeout=5)
        model.gate.set()
        await asyncio.gather(*tasks)
    # Eight calls and two places: up to four each. Both are under way at once, so either may come first.
    assert sorted(model.batches[2:]) == [[0, 1, 2, 3], [4, 5]]

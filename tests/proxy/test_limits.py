"""Limits that hold over several requests at once."""

from __future__ import annotations

import asyncio
import threading

import pytest

from proxy.deadline import Deadline
from proxy.errors import Busy, DeadlineExceeded
from proxy.limits import InFlight, PixelBudget
from tests.proxy.fake_server import wait_until


def test_pictures_wait_for_their_share_of_the_memory() -> None:
    budget = PixelBudget(100)
    order: list[str] = []

    def decode(name: str, pixels: int) -> None:
        with budget.hold(pixels, Deadline.after(10)):
            order.append(name)

    with budget.hold(60, Deadline.after(1)):
        large = threading.Thread(target=decode, args=("large", 100))
        large.start()
        decode("small", 40)
        assert order == ["small"]
    large.join(timeout=5)
    wait_until(lambda: order == ["small", "large"])


def test_a_picture_that_waits_too_long_is_given_up() -> None:
    budget = PixelBudget(100)
    with (
        budget.hold(60, Deadline.after(1)),
        pytest.raises(DeadlineExceeded, match=r"picture waiting to be decoded: not done within 0\.05 s"),
        budget.hold(60, Deadline.after(0.05)),
    ):
        pass
    with budget.hold(100, Deadline.after(0.05)):
        pass


async def test_a_place_is_free_again_after_a_failure() -> None:
    in_flight = InFlight(1, max_waiting=0)
    with pytest.raises(ZeroDivisionError):
        async with in_flight.place(Deadline.after(1)):
            raise ZeroDivisionError
    async with in_flight.place(Deadline.after(1)):
        with pytest.raises(Busy, match="1 requests in flight and 0 waiting"):
            await in_flight.place(Deadline.after(1)).__aenter__()
    assert in_flight.count == 0


async def test_those_who_wait_come_in_turn() -> None:
    in_flight = InFlight(1, max_waiting=2)
    order: list[int] = []

    async def visit(number: int) -> None:
        async with in_flight.place(Deadline.after(5)):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(visit(number) for number in range(3)))
    assert order == [0, 1, 2]
    assert (in_flight.count, in_flight.waiting) == (0, 0)


async def test_one_who_waits_too_long_or_leaves_gives_up_its_turn() -> None:
    in_flight = InFlight(1, max_waiting=2)
    async with in_flight.place(Deadline.after(5)):
        with pytest.raises(DeadlineExceeded, match=r"queue of the endpoint proxy: not done within 0\.05 s"):
            await in_flight.place(Deadline.after(0.05)).__aenter__()
        leaving = asyncio.ensure_future(in_flight.place(Deadline.after(5)).__aenter__())
        await asyncio.sleep(0)
        assert in_flight.waiting == 1
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        assert in_flight.waiting == 0
    assert in_flight.count == 0

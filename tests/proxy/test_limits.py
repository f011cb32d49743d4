"""Limits that hold over several requests at once."""

from __future__ import annotations

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


def test_a_place_is_free_again_after_a_failure() -> None:
    in_flight = InFlight(1)
    with pytest.raises(ZeroDivisionError), in_flight.slot():
        raise ZeroDivisionError
    with in_flight.slot(), pytest.raises(Busy), in_flight.slot():
        pass
    assert in_flight.count == 0

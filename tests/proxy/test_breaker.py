"""The circuit breaker and the retry budget, by a clock that the tests turn."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.backend.breaker import Breaker
from proxy.backend.retry_budget import RetryBudget
from proxy.backend.settings import BreakerSettings, RetrySettings


@dataclass
class Clock:
    """Hold the time."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def open_breaker(clock: Clock) -> Breaker:
    """Return a breaker that two failures have opened."""
    settings = BreakerSettings(failures=2, pause_seconds=1, longest_pause_seconds=3)
    breaker = Breaker(settings, clock)
    for _ in range(2):
        breaker.begin()
        breaker.failed()
    assert breaker.is_open
    return breaker


def test_only_failures_in_a_row_open_it() -> None:
    breaker = Breaker(BreakerSettings(failures=3), Clock())
    for ending in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed, breaker.ended):
        breaker.begin()
        ending()
        assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()


def test_after_the_pause_one_call_at_a_time_tries() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    clock.now = 0.9
    assert not breaker.allows()
    clock.now = 1.0
    assert breaker.allows()
    breaker.begin()
    assert not breaker.allows()
    breaker.ended()
    assert breaker.allows()
    breaker.begin()
    breaker.succeeded()
    assert breaker.allows()
    assert not breaker.is_open


def test_each_try_that_fails_doubles_the_pause_up_to_the_longest() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    for pause in (1, 2, 3, 3):
        assert not breaker.allows()
        clock.now += pause - 0.01
        assert not breaker.allows()
        clock.now += 0.01
        assert breaker.allows()
        breaker.begin()
        breaker.failed()


def test_calls_that_began_before_it_opened_do_not_lengthen_the_pause() -> None:
    clock = Clock()
    breaker = open_breaker(clock)
    for _ in range(10):
        breaker.failed()
    clock.now = 1.0
    assert breaker.allows()


def test_a_replica_that_lacks_what_another_has_is_passed_over_at_once() -> None:
    clock = Clock()
    breaker = Breaker(BreakerSettings(failures=5, pause_seconds=1), clock)
    breaker.begin()
    breaker.fell_behind()
    assert not breaker.allows()
    clock.now = 1.0
    assert breaker.allows()


def test_repeats_are_a_share_of_the_calls() -> None:
    budget = RetryBudget(RetrySettings(budget_ratio=0.2, budget_burst=10, budget_floor_per_second=0), Clock())
    assert [budget.take() for _ in range(11)] == [True] * 10 + [False]
    repeats = 0
    for _ in range(1000):
        budget.note_call()
        repeats += budget.take()
    assert 198 <= repeats <= 200


def test_repeats_are_saved_up_to_the_burst_and_no_further() -> None:
    budget = RetryBudget(RetrySettings(budget_ratio=1, budget_burst=3, budget_floor_per_second=0), Clock())
    for _ in range(100):
        budget.note_call()
    assert sum(budget.take() for _ in range(100)) == 3


def test_a_model_with_few_calls_has_the_floor() -> None:
    clock = Clock()
    budget = RetryBudget(RetrySettings(budget_ratio=0, budget_burst=0, budget_floor_per_second=2), clock)
    assert not budget.take()
    clock.now = 0.5
    assert budget.take()
    assert not budget.take()

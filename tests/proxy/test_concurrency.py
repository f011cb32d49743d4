"""How many calls at once are best: found by trying, with a clock and servers that the tests make up."""

from __future__ import annotations

from collections.abc import Callable

from proxy.backend.concurrency import Concurrency, Limit


class Senders:
    """Senders who each ask again when they are answered, by a clock of their own."""

    def __init__(self, count: int, seconds: Callable[[Limit], float]) -> None:
        self.now = 0.0
        self.concurrency = Concurrency(lambda: self.now)
        self.count = count
        self.seconds = seconds

    def ask(self, seconds: float) -> dict[Limit, float]:
        """Ask for some time; return the share of the time that each limit was used."""
        used: dict[Limit, float] = {}
        until = self.now + seconds
        while self.now < until:
            limit = self.concurrency.limit
            took = self.seconds(limit)
            used[limit] = used.get(limit, 0.0) + took
            windows = [self.concurrency.begin(place + 1) for place in range(self.count)]
            self.now += took
            for window in windows:
                self.concurrency.end(window, took)
        return {limit: share / seconds for limit, share in used.items()}


def test_the_limit_with_the_shortest_times_is_used_nearly_always() -> None:
    for best in (1, 2, None):
        senders = Senders(16, lambda limit, best=best: 0.02 if limit == best else 0.05)
        senders.ask(5)
        assert senders.ask(300)[best] > 0.9


def test_a_single_sender_tries_nothing() -> None:
    senders = Senders(1, lambda limit: 0.01)
    assert set(senders.ask(60)) == {2}


def test_it_notices_when_another_limit_has_become_the_best() -> None:
    times: dict[Limit, float] = {1: 0.05, 2: 0.02, None: 0.05}
    senders = Senders(16, lambda limit: times[limit])
    senders.ask(30)
    times.update({2: 0.05, None: 0.02})
    senders.ask(120)
    assert senders.ask(60)[None] > 0.9


def test_few_and_many_senders_have_each_their_own() -> None:
    best = {4: 1, 32: None}
    senders = Senders(4, lambda limit: 0.02 if limit == best[senders.count] else 0.05)
    for _ in range(3):
        for count in best:
            senders.count = count
            senders.ask(10)
    for count, limit in best.items():
        senders.count = count
        senders.ask(1)
        assert senders.ask(20)[limit] > 0.85

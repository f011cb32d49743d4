"""Replicas: the servers of one model; each call goes to one of them, and to another when that one fails."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import grpc
import grpc.aio

from proxy.backend.addresses import Address, Addresses, Resolve, Server
from proxy.backend.breaker import BreakerState
from proxy.backend.context import CallContext
from proxy.backend.replica import Replica, Reply
from proxy.backend.retry_budget import RetryBudget
from proxy.backend.settings import BackendSettings
from proxy.backend.watcher import UNWATCHED, Watcher

_RENEWAL_SECONDS = 0.2
"""How long a call whose replicas have all failed waits for newer addresses before it asks one of them again."""
# A server that is not there, and one that ends before it has answered: it cancels what it has not finished. A call that
# is cancelled on our side ends in another way.
_GONE = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED})


class Replicas:
    """Spread calls over the servers of one model.

    A call goes to a replica whose connection stands and whose breaker is closed, of these to the one with the fewest
    calls under way. Without such a replica it goes to any; gRPC then fails at once while the server cannot be
    connected to, and waits for a connection that is being made. Connections are made in the background, at no call's
    cost, as soon as another replica can answer.

    A call that fails because its server is not there, or ends, is sent again, to another replica if there is one:
    inference changes nothing, so it may be done twice. One that ran out of time is not.
    """

    def __init__(
        self, servers: Sequence[Server], settings: BackendSettings, resolve: Resolve, watcher: Watcher = UNWATCHED
    ) -> None:
        self._watcher = watcher
        self._settings = settings
        self._addresses = Addresses(servers, settings.resolve_seconds, resolve)
        self._budget = RetryBudget(settings.retries)
        self._replicas: dict[Address, Replica] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._turn = 0

    @property
    def ready_count(self) -> int:
        """Return how many replicas take calls now; at least 1."""
        return max(1, sum(replica.breaker.allows() and replica.is_connected() for replica in self._replicas.values()))

    def breaker_states(self) -> Counter[BreakerState]:
        """Return how many replicas have their breaker in which state."""
        return Counter(replica.breaker.state for replica in self._replicas.values())

    @property
    def outstanding(self) -> int:
        """Return the number of calls under way."""
        return sum(replica.outstanding for replica in self._replicas.values())

    async def call(
        self, method: str, request: bytes, context: CallContext, *, elsewhere_if_missing: bool = False
    ) -> Reply:
        """Call a method on one of the replicas.

        Args:
            method: The path of the gRPC method.
            request: The serialised message.
            context: What goes along.
            elsewhere_if_missing: Whether NOT_FOUND is asked of another replica as well: one that has just started
                listens before its models are loaded.

        Raises:
            grpc.aio.AioRpcError: No replica answered, or one answered an error.
            NoAddress: There are no replicas.
        """
        self._budget.note_call()
        failed: list[Replica] = []
        missing: list[Replica] = []
        while True:
            replica = await self._choose(failed)
            try:
                reply = await replica.call(method, request, context)
            except grpc.aio.AioRpcError as error:
                failed.append(replica)
                if error.code() is grpc.StatusCode.NOT_FOUND:
                    missing.append(replica)
                if not self._should_repeat(error.code(), failed, context, elsewhere_if_missing):
                    if len(failed) > 1:
                        self._watcher.repeated("failed")
                    raise
                await self._pause(failed, context)
            else:
                for behind in missing:
                    behind.breaker.fell_behind()
                if failed:
                    self._watcher.repeated("answered")
                return reply

    async def close(self) -> None:
        """Close all connections, cancelling what is under way."""
        await self._addresses.close()
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*(replica.close() for replica in self._replicas.values()))
        await asyncio.gather(*self._leaving, return_exceptions=True)
        self._replicas.clear()

    async def _choose(self, failed: Sequence[Replica]) -> Replica:
        self._addresses.renew_if_due()
        self._follow(self._addresses.known or await self._addresses.first())
        everyone = list(self._replicas.values())
        candidates = [replica for replica in everyone if replica not in failed] or everyone
        candidates = [replica for replica in candidates if replica.breaker.allows()] or candidates
        if len(candidates) > 1:
            # A list, not a generator: every replica is to be asked, and so connected.
            candidates = [replica for replica in candidates if replica.is_connected()] or candidates
        self._turn += 1
        turned = [candidates[(self._turn + place) % len(candidates)] for place in range(len(candidates))]
        if self._settings.choice == "round-robin":
            return turned[0]
        return min(turned, key=lambda replica: replica.outstanding)

    def _follow(self, addresses: tuple[Address, ...]) -> None:
        """Make replicas for new addresses; let those whose address is gone end their calls."""
        if len(addresses) == len(self._replicas) and all(address in self._replicas for address in addresses):
            return
        for address in set(self._replicas) - set(addresses):
            task = asyncio.create_task(self._replicas.pop(address).close_when_idle())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        # In the order of the addresses, so that turns are fair.
        known = self._replicas
        self._replicas = {
            address: known[address] if address in known else Replica(address, self._settings) for address in addresses
        }

    def _should_repeat(
        self, code: grpc.StatusCode, failed: Sequence[Replica], context: CallContext, elsewhere_if_missing: bool
    ) -> bool:
        if code is grpc.StatusCode.NOT_FOUND:
            worth_it = elsewhere_if_missing and any(replica not in failed for replica in self._replicas.values())
        else:
            worth_it = code in _GONE
        in_time = len(failed) < self._settings.retries.max_attempts and context.deadline.remaining > 0
        if not (worth_it and in_time):
            return False
        if not self._budget.take():
            self._watcher.repeated("no-budget")
            return False
        return True

    async def _pause(self, failed: Sequence[Replica], context: CallContext) -> None:
        """Wait before the next attempt, but only if it must go to a replica that has failed already."""
        renewal = self._addresses.renew()
        if any(replica not in failed for replica in self._replicas.values()):
            return
        await asyncio.wait({renewal}, timeout=min(_RENEWAL_SECONDS, context.deadline.remaining))
        self._follow(self._addresses.known)
        if any(replica not in failed for replica in self._replicas.values()):
            return
        longest = self._settings.retries.backoff_seconds * 2 ** (len(failed) - 1)
        await asyncio.sleep(min(random.uniform(longest / 2, longest), context.deadline.remaining))

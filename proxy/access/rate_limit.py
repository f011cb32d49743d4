"""Rate limits: a token bucket per client.

The header fields are those of the IETF's draft-ietf-httpapi-ratelimit-headers, since its eighth edition: the policy's
quota `q` per window of `w` seconds, what remains `r`, and `t` seconds until all of it is there again.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from proxy.access.settings import RateLimit
from proxy.errors import TooManyRequests

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Buckets:
    """Keep the buckets of the clients seen last, at most `most` of them; a client forgotten begins with a full one."""

    def __init__(self, most: int = 10_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str, limit: RateLimit) -> Mapping[str, str]:
        """Take a request out of a client's bucket, and return the header fields that tell what is left.

        Raises:
            TooManyRequests: The bucket is empty.
        """
        bucket = self._fill(client, limit)
        if bucket.tokens < 1:
            raise _refusal(limit, bucket.tokens)
        bucket.tokens -= 1
        return _fields(limit, bucket.tokens)

    def _fill(self, client: str, limit: RateLimit) -> _Bucket:
        """Return the bucket with what has run into it since it was filled last."""
        now = self._clock()
        bucket = self._buckets.setdefault(client, _Bucket(limit.burst_requests, now))
        self._buckets.move_to_end(client)
        if len(self._buckets) > self._most:
            self._buckets.popitem(last=False)
        gained = (now - bucket.filled) * limit.requests_per_second
        bucket.tokens, bucket.filled = min(limit.burst_requests, bucket.tokens + gained), now
        return bucket


def _fields(limit: RateLimit, tokens: float) -> dict[str, str]:
    full_again = math.ceil((limit.burst_requests - tokens) / limit.requests_per_second)
    return {
        "ratelimit-policy": f'"client";q={limit.burst_requests};w={limit.full_again_seconds}',
        "ratelimit": f'"client";r={int(tokens)};t={full_again}',
    }


def _refusal(limit: RateLimit, tokens: float) -> TooManyRequests:
    wait = max(1, math.ceil((1 - tokens) / limit.requests_per_second))
    return TooManyRequests(
        where="client",
        found=f"more than {limit.requests_per_second:g} requests per second, after {limit.burst_requests} at once",
        reason="What one client takes, the others lack (rate-limit)",
        remedy=f"Try again in {wait} s, or ask the operator for a higher limit",
        retry_after_seconds=wait,
        headers=_fields(limit, tokens),
    )

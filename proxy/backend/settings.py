"""Settings: how calls are spread over the replicas of a model, repeated, and joined into batches."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from proxy.document import Document

MEBIBYTE = 1024 * 1024


class BreakerSettings(Document):
    """Say when a replica gets no calls for a while, as long as another one takes them."""

    failures: int = Field(default=5, ge=1, le=1000)
    """Failures in a row that open the breaker: no connection, unavailable, or no answer in time."""
    pause_seconds: float = Field(default=1, gt=0, le=600)
    """How long it stays open until one call tries the replica again; doubled with every try that fails."""
    longest_pause_seconds: float = Field(default=10, gt=0, le=3600)
    slow_seconds: float = Field(default=1, ge=0, le=3600)
    """A call that had less time than this and ran out of it says nothing of the replica."""


class RetrySettings(Document):
    """Bound how often calls are repeated, so that repeating never becomes the load."""

    max_attempts: int = Field(default=3, ge=1, le=10)
    """How often one call is sent at most; 1: never repeated."""
    budget_ratio: float = Field(default=0.2, ge=0, le=1)
    """Repeats per call, over all calls of a model."""
    budget_burst: int = Field(default=50, ge=0, le=10_000)
    """Repeats that may be saved up while all goes well."""
    budget_floor_per_second: float = Field(default=1, ge=0, le=1000)
    """Repeats that are allowed whatever the number of calls."""
    backoff_seconds: float = Field(default=0.025, ge=0, le=10)
    """The pause before the same replica is asked again, doubled each time, with jitter; another is asked at once."""


class BatchingSettings(Document):
    """Bound how calls of several senders are joined into one."""

    enabled: bool = True
    max_batch_examples: int = Field(default=32, ge=1, le=65_536)
    max_batch_mib: float = Field(default=32, gt=0, le=1024)
    max_waiting: int = Field(default=256, ge=1, le=1_000_000)
    """Calls of one model that may wait to be joined; more are refused (503 with Retry-After)."""
    calls_per_replica: int | Literal["adaptive"] = "adaptive"
    """Calls of one signature under way to a replica at once; those over it wait and are joined.

    `adaptive` tries 1, 2 and no limit while several senders ask, and keeps what answers soonest: without a limit
    nothing waits and nothing is joined, so a model that gains nothing from batches is not batched.
    """

    @property
    def max_batch_bytes(self) -> int:
        """Return the most bytes of inputs that are joined."""
        return int(self.max_batch_mib * MEBIBYTE)


class BackendSettings(Document):
    """Say how the servers of a model are found and asked."""

    choice: Literal["least-outstanding", "round-robin"] = "least-outstanding"
    channels_per_replica: int = Field(default=1, ge=1, le=64)
    """TCP connections to each replica; large messages share the flow control of their connection."""
    resolve_seconds: float = Field(default=1, gt=0, le=3600)
    """How old the addresses behind a name may be before they are asked for again, while there are calls."""
    keepalive_seconds: float = Field(default=10, ge=0.1, le=3600)
    """After how long without a sign of life a connection with calls under way is asked for one."""
    keepalive_timeout_seconds: float = Field(default=5, ge=0.1, le=3600)
    """How long that sign may take; a node that lost its power is found out by this alone."""
    describe_seconds: float = Field(default=5, gt=0, le=3600)
    """How long a model's signatures are believed; a new version is noticed by its first answer."""
    stale_seconds: float = Field(default=30, ge=0, le=3600)
    """How long the last known signatures serve on while the server cannot be asked for them."""
    breaker: BreakerSettings = BreakerSettings()
    retries: RetrySettings = RetrySettings()
    batching: BatchingSettings = BatchingSettings()

"""Batches: several calls as one, and the answer to them all taken apart again."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proxy.backend.call import PredictCall
from proxy.wire.predictions import Prediction

_MAX_FIXED_BYTES = 1024
"""Inputs that are the same for all examples are compared by value; they are thresholds and the like."""


class NotSplittable(Exception):
    """An output whose first dimension does not count the examples."""


def joint_key(call: PredictCall) -> Hashable | None:
    """Return what calls must have in common to be joined; None for a call that cannot be.

    Joined are calls of one signature, version and choice of outputs, whose batched inputs differ in their first
    dimension alone and whose other inputs are equal in every value.
    """
    batched = sorted(call.batched)
    fixed = sorted(name for name in call.arrays if name not in call.batched)
    if not batched or any(call.arrays[name].ndim == 0 for name in batched):
        return None
    rows = {len(call.arrays[name]) for name in batched}
    if len(rows) != 1 or 0 in rows or sum(_array_bytes(call.arrays[name]) for name in fixed) > _MAX_FIXED_BYTES:
        return None
    return (
        call.signature,
        call.selector,
        call.output_filter,
        tuple((name, call.arrays[name].dtype.str, call.arrays[name].shape[1:]) for name in batched),
        tuple((name, *_value(call, name)) for name in fixed),
    )


def example_count(call: PredictCall) -> int:
    """Return the number of examples of a call that has a joint key."""
    return len(call.arrays[next(iter(call.batched))])


def input_bytes(call: PredictCall) -> int:
    """Return the bytes of a call's inputs."""
    return sum(_array_bytes(array) for array in call.arrays.values())


def join_calls(calls: Sequence[PredictCall]) -> PredictCall:
    """Join calls of one joint key along the first dimension of their batched inputs."""
    first = calls[0]
    if len(calls) == 1:
        return first
    arrays = {
        name: np.concatenate([call.arrays[name] for call in calls]) if name in first.batched else array
        for name, array in first.arrays.items()
    }
    return PredictCall(
        signature=first.signature,
        arrays=arrays,
        selector=first.selector,
        output_filter=first.output_filter,
        batched=first.batched,
    )


def split_prediction(prediction: Prediction, counts: Sequence[int]) -> list[Prediction]:
    """Take the answer to a batch apart, as views.

    Args:
        prediction: The answer.
        counts: The number of examples of each call, in the order of the batch.

    Raises:
        NotSplittable: An output has another first dimension than the batch.
    """
    bounds = [0, *np.cumsum(counts).tolist()]
    for name, array in prediction.outputs.items():
        if array.ndim == 0 or len(array) != bounds[-1]:
            raise NotSplittable(f"output {name!r} has the shape {list(array.shape)} for {bounds[-1]} examples")
    return [
        Prediction(
            version=prediction.version,
            signature=prediction.signature,
            outputs={name: array[start:end] for name, array in prediction.outputs.items()},
        )
        for start, end in pairwise(bounds)
    ]


def _array_bytes(array: NDArray[Any]) -> int:
    return sum(map(len, array.ravel().tolist())) if array.dtype.hasobject else array.nbytes


def _value(call: PredictCall, name: str) -> tuple[Hashable, ...]:
    array = call.arrays[name]
    content = tuple(array.ravel().tolist()) if array.dtype.hasobject else array.tobytes()
    return array.dtype.str, array.shape, content

"""The outputs of a model as decoders see them: arrays by name, asked for by name or by shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proxy.errors import AnswerInvalid

Outputs = Mapping[str, NDArray[Any]]


def named_output(outputs: Outputs, name: str) -> NDArray[np.float32]:
    """Return the output of a name as float32.

    Raises:
        AnswerInvalid: The model has no such output.
    """
    if name not in outputs:
        raise unexpected_outputs(outputs, f"an output named {name!r}")
    return _as_floats(outputs[name])


def shaped_output(outputs: Outputs, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the one output of a shape as float32.

    Raises:
        AnswerInvalid: The model has no output of this shape.
    """
    for array in outputs.values():
        if array.shape == shape:
            return _as_floats(array)
    raise unexpected_outputs(outputs, f"an output of shape {list(shape)}")


def refuse_non_numbers(values: NDArray[np.float32], where: str) -> None:
    """Refuse scores or boxes with NaN in them; every comparison with NaN is false, so they would vanish silently.

    Raises:
        AnswerInvalid: A value is not a number.
    """
    if np.isnan(values).any():
        raise AnswerInvalid(
            where=f"answer of the model server > {where}",
            found=f"{int(np.isnan(values).sum())} of {values.size} values are not numbers (NaN)",
            reason="Scores and boxes cannot be read out of them",
            remedy="Check the model's weights and the mean and standard-deviation of its card",
        )


def unexpected_outputs(outputs: Outputs, wanted: str) -> AnswerInvalid:
    """Say that the model answered other tensors than its decoder reads."""
    return AnswerInvalid(
        where="answer of the model server",
        found=f"{_listed(f'{name} {list(array.shape)}' for name, array in sorted(outputs.items()))}",
        reason=f"The decoder of the model card needs {wanted}",
        remedy="Name the decoder in the card that fits this model, and check its labels file and input size",
    )


def _as_floats(array: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(array, np.float32)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "no outputs"

"""The outputs of a model, asked for by name or by shape when the graph is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from publisher.errors import MismatchError

Form = tuple[int | None, ...]
"""The sizes behind the batch; None is any."""


def named_output(outputs: Mapping[str, Any], name: str, form: Form) -> Any:
    """Return the output of a name as float32.

    Raises:
        MismatchError: The model has no such output, or it has another form.
    """
    if name not in outputs or not _has_form(outputs[name], form):
        raise _missing(outputs, f"{name!r} of shape {_listed(form)}")
    return tf.cast(outputs[name], tf.float32)


def shaped_output(outputs: Mapping[str, Any], form: Form) -> Any:
    """Return the one output of a form as float32.

    Raises:
        MismatchError: The model has no output of this form.
    """
    for tensor in outputs.values():
        if _has_form(tensor, form):
            return tf.cast(tensor, tf.float32)
    raise _missing(outputs, f"an output of shape {_listed(form)}")


def _has_form(tensor: Any, form: Form) -> bool:
    if tensor.shape.rank != len(form) + 1:
        return False
    return all(wanted in (None, found) for wanted, found in zip(form, tensor.shape[1:], strict=True))


def _missing(outputs: Mapping[str, Any], wanted: str) -> MismatchError:
    found = ", ".join(f"{name} {_listed(tensor.shape[1:])}" for name, tensor in sorted(outputs.items()))
    return MismatchError(
        where="model card > output",
        found=f"the model has the outputs {found or '(none)'}",
        reason=f"The card's decoder reads {wanted}",
        remedy="Name the decoder in the card that fits this model, and check its labels file and input size",
    )


def _listed(form: Any) -> str:
    return str(["N", *("?" if size is None else int(size) for size in form)]).replace("'", "")

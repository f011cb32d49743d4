"""Which inputs of a signature count examples, so that calls may be joined."""

from __future__ import annotations

from proxy.backend.signatures import Signature


def batched_inputs(signature: Signature) -> frozenset[str]:
    """Return the inputs along whose first dimension calls may be joined: all but scalars, or none.

    A free first dimension of every input and output is what a model that counts examples there looks like. Scalars,
    such as thresholds, are shared by the examples of a call; only calls of equal ones are joined.
    """
    inputs = [tensor for tensor in signature.inputs.values() if tensor.shape != ()]
    tensors = [*inputs, *signature.outputs.values()]
    joins = bool(signature.outputs) and all(tensor.shape and tensor.shape[0] is None for tensor in tensors)
    return frozenset(tensor.name for tensor in inputs) if joins else frozenset()

"""Which inputs of a signature count examples, so that calls may be joined."""

from __future__ import annotations

from proxy.backend.signatures import Signature


def batched_inputs(signature: Signature) -> frozenset[str]:
    """Return the inputs along whose first dimension calls may be joined: all of them, or none.

    A free first dimension of every input and output is what a model that counts examples there looks like.
    """
    tensors = [*signature.inputs.values(), *signature.outputs.values()]
    joins = bool(signature.outputs) and all(tensor.shape and tensor.shape[0] is None for tensor in tensors)
    return frozenset(signature.inputs) if joins else frozenset()

"""Does a request fit the signature that it names? The same answer for every runtime."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from modelserver import tensors
from modelserver.errors import FailedPrecondition, InvalidArgument
from modelserver.savedmodel import DEFAULT_SIGNATURE
from modelserver.tensors import ELEMENTS, Array
from protos.stubs.tensorflow.core.framework import types_pb2 as types
from protos.stubs.tensorflow.core.framework.tensor_shape_pb2 import TensorShapeProto
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo


def find(signatures: Mapping[str, SignatureDef], name: str) -> tuple[str, SignatureDef]:
    """Return the signature that a request names; serving_default when it names none.

    Raises:
        FailedPrecondition: there is no such signature.
    """
    wanted = name or DEFAULT_SIGNATURE
    if wanted not in signatures:
        raise FailedPrecondition(f'Serving signature key "{wanted}" not found.')
    return wanted, signatures[wanted]


def check_inputs(signature: SignatureDef, inputs: Mapping[str, Array]) -> dict[str, Array]:
    """Check names, element types and shapes; add the signature's defaults for inputs that were not sent.

    Raises:
        InvalidArgument: the inputs do not fit.
    """
    complete = {name: tensors.from_proto(value) for name, value in signature.defaults.items()} | dict(inputs)
    if complete.keys() != signature.inputs.keys():
        raise InvalidArgument(_names_message(inputs.keys(), signature.inputs.keys()))
    for name, array in complete.items():
        _check_type(name, array, signature.inputs[name])
        _check_shape(name, array.shape, signature.inputs[name].tensor_shape)
    return complete


def outputs_wanted(signature: SignatureDef, output_filter: Sequence[str]) -> list[str]:
    """Return the names of the outputs to compute: those of the filter, or all.

    Raises:
        InvalidArgument: the filter names an output twice, or one that there is not.
    """
    for name in output_filter:
        if name not in signature.outputs:
            raise InvalidArgument(
                f"output tensor alias not found in signature: {name} "
                f"Outputs expected to be in the set {_listed(signature.outputs)}."
            )
        if list(output_filter).count(name) > 1:
            raise InvalidArgument(f"duplicate output tensor alias: {name}")
    return list(output_filter) or sorted(signature.outputs)


def _names_message(sent: Collection[str], expected: Collection[str]) -> str:
    if len(sent) == len(expected):
        unknown = sorted(set(sent) - set(expected))[0]
        expectation = f"Inputs expected to be in the set {_listed(expected)}."
        return f"input tensor alias not found in signature: {unknown}. {expectation}"
    return (
        f"input size does not match signature: {len(sent)}!={len(expected)} len({_listed(sent)}) != "
        f"len({_listed(expected)}). Sent extra: {_listed(set(sent) - set(expected))}. "
        f"Missing but required: {_listed(set(expected) - set(sent))}."
    )


def _listed(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"


def _check_type(name: str, array: Array, info: TensorInfo) -> None:
    sent = types.DT_STRING if array.dtype == object else tensors.DATA_TYPES.get(array.dtype, types.DT_INVALID)
    if sent != info.dtype:
        raise InvalidArgument(
            f"Input {name} must be of type {tensors.type_name(info.dtype)}, and type {tensors.type_name(sent)} was sent"
        )


def _check_shape(name: str, shape: tuple[int, ...], accepted: TensorShapeProto) -> None:
    sizes = [dim.size for dim in accepted.dim]
    fits = len(shape) == len(sizes) and all(want in (-1, have) for want, have in zip(sizes, shape, strict=True))
    if not accepted.unknown_rank and not fits:
        raise InvalidArgument(f"Input {name} must be of shape {sizes} (-1: any size), and shape {list(shape)} was sent")


def element_of(info: TensorInfo) -> tensors.ElementType | None:
    """Return how numpy holds an input or output; None for strings and for types that it cannot hold."""
    return ELEMENTS.get(info.dtype)

"""The inputs of an infer request: each from its values in JSON, or from its bytes behind the JSON object."""

from __future__ import annotations

import math
from typing import Annotated, Any

from numpy.typing import NDArray
from pydantic import Field, StrictInt, StrictStr

from proxy.backend.datatypes import datatype
from proxy.backend.signatures import Signature, TensorSpec
from proxy.errors import InvalidTensor
from proxy.inputs.binary_tensors import BinaryTensors
from proxy.inputs.json_values import read_any_shape
from proxy.inputs.sections import Optional, Section, read_section

Array = NDArray[Any]

_FORM = 'Send {"name": ..., "shape": [...], "datatype": ..., "data": [...]}, or "parameters": {"binary_data_size": ...}'
_MAX_DIMENSIONS = 32

_Size = Annotated[StrictInt, Field(ge=0, le=2**40)]


class _Parameters(Section):
    binary_data_size: _Size | None = None
    shared_memory_region: StrictStr | None = None


class _Input(Section):
    name: StrictStr
    shape: tuple[_Size, ...] = Field(max_length=_MAX_DIMENSIONS)
    datatype: StrictStr
    parameters: Optional[_Parameters] = _Parameters()
    # Checked against the shape, and not by pydantic, which would copy it.
    data: Any = None


def read_input(value: Any, where: str, signature: Signature, tensors: BinaryTensors) -> tuple[str, Array]:
    """Read one input.

    Args:
        value: Its object in the request; `data` may be a `NumberText`.
        where: Its place, for messages.
        signature: What the model takes.
        tensors: The bytes behind the JSON object, from where this input's begin.

    Returns:
        The input's name, and its array as the model takes it.

    Raises:
        InvalidJson: It is no input.
        InvalidTensor: It is none of the model's, or has values of another type or shape.
        NotNumbers: The `NumberText` cannot be read as such.
    """
    found = read_section(_Input, value, where, _FORM)
    spec = _spec(found, where, signature)
    size = found.parameters.binary_data_size
    if (size is None) == (found.data is None):
        values = "no values" if size is None else "values in JSON and as bytes"
        raise _invalid(where, values, "They stand under data, or behind the JSON object as binary_data_size says")
    if size is not None:
        return found.name, tensors.take(size, spec, found.shape)
    return found.name, _from_json(found, where, spec)


def _spec(found: _Input, where: str, signature: Signature) -> TensorSpec:
    """Return what the model takes for an input, after a check that this is what the request says it is."""
    spec = signature.inputs.get(found.name)
    if spec is None:
        names = ", ".join(repr(name) for name in sorted(signature.inputs))
        raise _invalid(where, f"the input {found.name[:80]!r}", f"The signature {signature.name} takes {names}")
    if found.parameters.shared_memory_region is not None:
        raise _invalid(where, "a shared memory region", "The proxy has no memory in common with its clients")
    wanted = datatype(spec.data_type)
    if found.datatype != wanted:
        raise _invalid(where, f"the datatype {found.datatype[:80]!r}", f"The model takes {wanted} for {spec.name!r}")
    if not spec.takes_shape(found.shape):
        raise _invalid(where, f"shape {list(found.shape)}", f"The model takes shape {spec.shape_text}")
    return spec


def _from_json(found: _Input, where: str, spec: TensorSpec) -> Array:
    array = read_any_shape(found.data, spec)
    flat = array.ndim <= 1 and array.size == math.prod(found.shape)
    if not flat and array.shape != found.shape:
        reason = f"The request says shape {list(found.shape)}"
        raise _invalid(where, f"values of shape {list(array.shape)}", reason)
    return array.reshape(found.shape)


def _invalid(where: str, found: str, reason: str) -> InvalidTensor:
    return InvalidTensor(where, found, reason, "See the model's metadata for its inputs")

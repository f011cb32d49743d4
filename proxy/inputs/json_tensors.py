"""JSON tensors: the two forms of TensorFlow Serving's REST predict request, into arrays checked against the signature.

The row form lists whole examples (`instances`), the column form whole inputs (`inputs`); bytes stand as
`{"b64": "..."}`. The forms are those of https://www.tensorflow.org/tfx/serving/api_rest.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import orjson
from numpy.typing import NDArray

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.signatures import DEFAULT_SIGNATURE, ModelDescription, Signature, TensorSpec
from proxy.errors import InvalidJson, InvalidTensor
from proxy.wire.tensors import numpy_type, type_name

Array = NDArray[Any]
Form = Literal["row", "column"]

_KEYS = frozenset({"instances", "inputs", "signature_name"})
_FORMS = 'Send {"instances": [...]} with one entry per example, or {"inputs": ...} with whole tensors'

_KINDS: dict[type[object], str] = {dict: "object", list: "list", str: "text", bool: "boolean"}

# Kinds of numpy types that a JSON list may become on its way into a tensor of some kind.
_TAKES: dict[str, frozenset[str]] = {
    "f": frozenset("fiu"),
    "i": frozenset("iu"),
    "u": frozenset("iu"),
    "b": frozenset("b"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorRequest:
    """Hold the arrays of a request, and the form that its answer takes as well."""

    signature: str
    arrays: Mapping[str, Array]
    form: Form


def parse_tensor_request(data: bytes, description: ModelDescription) -> TensorRequest:
    """Parse a JSON body into arrays of the types and shapes that the model takes.

    Args:
        data: The body, UTF-8.
        description: The model's signatures.

    Raises:
        InvalidJson: No JSON, or none of the two forms.
        InvalidTensor: Values of another type or shape than the model's input.
    """
    document = _parse(data)
    signature = _signature(document, description)
    form: Form = "row" if "instances" in document else "column"
    values = _rows(document["instances"], signature) if form == "row" else _columns(document["inputs"], signature)
    arrays = {name: _array(values[name], spec) for name, spec in signature.inputs.items()}
    return TensorRequest(signature=signature.name, arrays=arrays, form=form)


def _parse(data: bytes) -> dict[str, Any]:
    try:
        document: object = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _invalid_json(f"no JSON ({error})", "The body must be one JSON object") from error
    if not isinstance(document, dict):
        raise _invalid_json(f"a JSON {_kind(document)}", "The body must be one JSON object")
    known = cast("dict[str, Any]", document)
    unknown = sorted(known.keys() - _KEYS)
    if unknown:
        raise _invalid_json(f"the unknown key {unknown[0][:80]!r}", f"Known keys are {', '.join(sorted(_KEYS))}")
    if ("instances" in known) == ("inputs" in known):
        found = "both instances and inputs" if "inputs" in known else "neither instances nor inputs"
        raise _invalid_json(found, "One of the two says how the tensors are written")
    return known


def _signature(document: dict[str, Any], description: ModelDescription) -> Signature:
    name = document.get("signature_name", DEFAULT_SIGNATURE)
    if not isinstance(name, str) or name not in description.signatures:
        raise InvalidTensor(
            where="JSON body > signature_name",
            found=f"{str(name)[:80]!r}",
            reason=f"The model has the signatures {', '.join(sorted(description.signatures)) or '(none)'}",
            remedy="Name one of them, or leave the key out for serving_default",
        )
    return description.signatures[name]


def _columns(inputs: Any, signature: Signature) -> Mapping[str, Any]:
    """Read the column form; a model with one input may have it without its name."""
    if isinstance(inputs, dict) and not _is_bytes(cast("Any", inputs)):
        return _named(cast("dict[str, Any]", inputs), signature, "inputs")
    return {_only_input(signature, "inputs"): inputs}


def _rows(instances: Any, signature: Signature) -> Mapping[str, Any]:
    """Read the row form: gather each input's values over all examples."""
    examples = cast("list[Any]", instances if isinstance(instances, list) else [])
    if not examples:
        found = "an empty list" if isinstance(instances, list) else f"a {_kind(instances)}"
        raise _invalid_json(f"{found} under instances", "It must be a list with one entry per example")
    if not isinstance(examples[0], dict) or _is_bytes(examples[0]):
        return {_only_input(signature, "instances"): examples}
    rows = [_named(example, signature, f"instances > {number}") for number, example in enumerate(examples)]
    return {name: [row[name] for row in rows] for name in signature.inputs}


def _named(values: Any, signature: Signature, where: str) -> Mapping[str, Any]:
    """Check that an object names exactly the inputs of the signature."""
    found = set(cast("dict[str, Any]", values)) if isinstance(values, dict) else set[str]()
    if found != set(signature.inputs):
        raise InvalidTensor(
            where=f"JSON body > {where}",
            found=f"the inputs {', '.join(repr(name[:80]) for name in sorted(found)) or '(none)'}",
            reason=f"The signature {signature.name} takes {', '.join(repr(name) for name in sorted(signature.inputs))}",
            remedy="Give each of these, and no other",
        )
    return cast("dict[str, Any]", values)


def _only_input(signature: Signature, where: str) -> str:
    if len(signature.inputs) != 1:
        _named({}, signature, where)
    return next(iter(signature.inputs))


def _array(values: Any, spec: TensorSpec) -> Array:
    """Turn nested lists into an array of the input's type and shape."""
    array = _strings(values, spec) if spec.data_type == types_pb2.DT_STRING else _numbers(values, spec)
    if not spec.takes_shape(array.shape):
        raise _invalid_tensor(spec, f"shape {list(array.shape)}", f"The model takes shape {spec.shape_text}")
    return array


def _numbers(values: Any, spec: TensorSpec) -> Array:
    wanted = numpy_type(spec.data_type)
    if wanted is None or spec.data_type == types_pb2.DT_BFLOAT16:
        reason = f"The model takes values of type {type_name(spec.data_type)}, which the proxy cannot write from JSON"
        raise _invalid_tensor(spec, "JSON values", reason)
    try:
        array = np.array(values)
    except ValueError as error:
        raise _invalid_tensor(spec, "lists of different lengths or too deep", "A tensor is rectangular") from error
    if array.size == 0:
        return array.astype(wanted)
    if array.dtype.kind not in _TAKES[wanted.kind]:
        found = f"values that are not all {'booleans' if wanted.kind == 'b' else 'numbers'}"
        found = "numbers with a fraction, or so large that they have become one" if array.dtype.kind == "f" else found
        raise _invalid_tensor(spec, found, f"The model takes values of type {type_name(spec.data_type)}")
    return _in_range(array, wanted, spec)


def _in_range(array: Array, wanted: np.dtype[Any], spec: TensorSpec) -> Array:
    """Narrow numbers to the wanted type, refusing those it cannot hold."""
    with np.errstate(over="ignore"):
        narrowed = array.astype(wanted)
    fits = np.isfinite(narrowed) if wanted.kind == "f" else narrowed == array
    if not fits.all():
        raise _invalid_tensor(spec, "a number out of range", f"{type_name(spec.data_type)} cannot hold it")
    return narrowed


def _strings(values: Any, spec: TensorSpec) -> Array:
    """Turn nested lists of texts and {"b64": ...} objects into an object array of bytes."""
    shape: list[int] = []
    probe = values
    while isinstance(probe, list) and len(shape) < 32:
        shape.append(len(cast("list[Any]", probe)))
        probe = cast("Any", probe[0] if probe else None)
    flat: list[bytes] = []
    _flatten(values, shape, flat, spec)
    return np.fromiter(flat, object, len(flat)).reshape(shape)


def _flatten(values: Any, shape: list[int], into: list[bytes], spec: TensorSpec) -> None:
    if not shape:
        into.append(_bytes(values, spec))
        return
    if not isinstance(values, list) or len(cast("list[Any]", values)) != shape[0]:
        raise _invalid_tensor(spec, "lists of different lengths", "A tensor is rectangular")
    for value in cast("list[Any]", values):
        _flatten(value, shape[1:], into, spec)


def _bytes(value: Any, spec: TensorSpec) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if not _is_bytes(value):
        raise _invalid_tensor(spec, f"a {_kind(value)}", 'The model takes texts, or bytes as {"b64": "..."}')
    try:
        return base64.b64decode(value["b64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise _invalid_tensor(spec, f"broken base64 ({error})", "The bytes cannot be read") from error


def _is_bytes(value: Any) -> bool:
    return isinstance(value, dict) and set(cast("dict[str, Any]", value)) == {"b64"} and isinstance(value["b64"], str)


def _kind(value: object) -> str:
    """Return JSON's name of a value's type."""
    if value is None:
        return "null"
    return _KINDS.get(type(value), "number")


def _invalid_json(found: str, reason: str) -> InvalidJson:
    return InvalidJson("JSON body", found, reason, _FORMS)


def _invalid_tensor(spec: TensorSpec, found: str, reason: str) -> InvalidTensor:
    return InvalidTensor(
        where=f"JSON body > input {spec.name!r}",
        found=found,
        reason=reason,
        remedy=f"Send values of type {type_name(spec.data_type)} and shape {spec.shape_text}",
    )

"""JSON values to input tensors and output tensors to JSON, in TensorFlow Serving's row and column forms."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import orjson

from modelserver import tensors
from modelserver.errors import InvalidArgument
from modelserver.signature import element_of
from modelserver.tensors import Array
from protos.stubs.tensorflow.core.framework import types_pb2 as types
from protos.stubs.tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo

Form = Literal["row", "column"]


def parse(body: bytes) -> dict[str, Any]:
    """Read a request's body.

    Raises:
        InvalidArgument: it is no JSON object.
    """
    if not body:
        raise InvalidArgument("JSON Parse error: The document is empty")
    try:
        document = _loads(body)
    except ValueError as error:
        raise InvalidArgument(f"JSON Parse error: {error}") from error
    if not isinstance(document, dict):
        raise InvalidArgument(f"JSON Value: {_shown(document)} Is not object")
    return document


def _loads(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        # orjson is strict; TensorFlow Serving also reads the bare words NaN and Infinity, and so does this.
        return json.loads(body)


def signature_name(document: Mapping[str, Any]) -> str:
    """Return the signature that a request names, "" for none."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidArgument(
            f"JSON Value: {_shown(document)} not formatted correctly. 'signature_name' key must be a string value."
        )
    return name


def inputs_of(document: Mapping[str, Any], signature: SignatureDef) -> tuple[dict[str, Array], Form]:
    """Return the input tensors of a predict request, and the form that its answer takes.

    Raises:
        InvalidArgument: the values do not make the tensors that the signature wants.
    """
    if "instances" in document and "inputs" in document:
        raise InvalidArgument("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ")
    if "instances" in document:
        return _from_rows(document["instances"], signature), "row"
    if "inputs" in document:
        return _from_columns(document["inputs"], signature), "column"
    raise InvalidArgument("Missing 'inputs' or 'instances' key")


def _from_rows(instances: Any, signature: SignatureDef) -> dict[str, Array]:
    if not isinstance(instances, list):
        raise InvalidArgument(f"JSON Value: {_shown(instances)} Excepting 'instances' to be an list/array")
    if not instances:
        raise InvalidArgument("JSON Value: [] No values in 'instances' array")
    if not _is_named(instances[0]):
        return {_only_input(signature, "instances is a plain list"): _tensor(instances, _only(signature))}
    names = set(signature.inputs)
    for index, element in enumerate(instances):
        if not _is_named(element):
            raise InvalidArgument(f"Expecting object but got list at item {index} of input list")
        if element.keys() != names:
            raise InvalidArgument(
                f"Failed to process element: {index} of 'instances' list. JSON object: {_shown(element)} "
                f"keys must be equal to: {','.join(sorted(names))}"
            )
    return {name: _tensor([row[name] for row in instances], signature.inputs[name]) for name in names}


def _from_columns(value: Any, signature: SignatureDef) -> dict[str, Array]:
    if not _is_named(value):
        return {_only_input(signature, "inputs is a plain value/list"): _tensor(value, _only(signature))}
    for name in signature.inputs:
        if name not in value:
            raise InvalidArgument(f"Missing named input: {name} in 'inputs' object.")
    return {name: _tensor(value[name], info) for name, info in signature.inputs.items()}


def _only_input(signature: SignatureDef, found: str) -> str:
    if len(signature.inputs) != 1:
        raise InvalidArgument(
            f"{found}, but expecting list of objects as multiple input tensors required as per tensorinfo_map"
            if found.startswith("instances")
            else f"{found}, but expecting an object as multiple input tensors required as per tensorinfo_map"
        )
    return next(iter(signature.inputs))


def _only(signature: SignatureDef) -> TensorInfo:
    return next(iter(signature.inputs.values()))


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _tensor(value: Any, info: TensorInfo) -> Array:
    if info.dtype == types.DT_STRING:
        return _strings(value)
    element = element_of(info)
    if element is None:
        raise InvalidArgument(f"Conversion of JSON Value: {_shown(value)} to type: {tensors.type_name(info.dtype)}")
    try:
        found = np.array(value)
    except ValueError as error:
        raise InvalidArgument(f"JSON Value: {_shown(value)} is no tensor: its lists differ in length") from error
    if found.size and not _is_kind(found, element.dtype.kind):
        expected = tensors.type_name(info.dtype)
        raise InvalidArgument(f"JSON Value: {_shown(value)} is not of expected type: {expected}")
    return _narrowed(found, element.dtype)


def _is_kind(found: Array, kind: str) -> bool:
    accepted = {"f": "fiu", "i": "iu", "u": "iu", "b": "b"}
    return found.dtype.kind in accepted.get(kind, "")


def _narrowed(found: Array, dtype: np.dtype[Any]) -> Array:
    """Convert to the type of the input; refuse what it cannot hold."""
    with np.errstate(over="ignore"):
        result = found.astype(dtype)
    lost = (result != found) if dtype.kind in "iu" else np.isinf(result) & np.isfinite(found)
    if dtype.kind in "iuf" and lost.any():
        value = found[lost].reshape(-1)[0]
        raise InvalidArgument(f"Cannot convert JSON value: {value} to {dtype.name} without loss of precision.")
    return result


def _strings(value: Any) -> Array:
    sizes: list[int] = []
    level = value
    while isinstance(level, list):
        sizes.append(len(level))
        level = level[0] if level else None
    flat: list[bytes] = []
    _collect_strings(value, sizes, flat)
    array = np.empty(len(flat), dtype=object)
    array[:] = flat
    return array.reshape(sizes)


def _collect_strings(value: Any, sizes: list[int], into: list[bytes]) -> None:
    if sizes:
        if not isinstance(value, list) or len(value) != sizes[0]:
            raise InvalidArgument(f"JSON Value: {_shown(value)} is no tensor: its lists differ in length")
        for item in value:
            _collect_strings(item, sizes[1:], into)
    else:
        into.append(string_of(value))


def string_of(value: Any) -> bytes:
    """Return the bytes of a JSON string or of {"b64": ...}.

    Raises:
        InvalidArgument: it is neither.
    """
    if isinstance(value, str):
        return value.encode()
    if not _is_base64(value):
        raise InvalidArgument(f"JSON Value: {_shown(value)} is not of expected type: string")
    try:
        return base64.b64decode(value["b64"], validate=True)
    except binascii.Error as error:
        raise InvalidArgument("Unable to base64 decode") from error


def answer(outputs: Mapping[str, Array], form: Form) -> bytes:
    """Write the answer of a predict request.

    Raises:
        InvalidArgument: the outputs have no common batch, so that the row form cannot say them.
    """
    if form == "column":
        return dump({"outputs": _one_or_named(outputs)})
    sizes = {name: array.shape[0] if array.ndim else -1 for name, array in outputs.items()}
    for name, size in sizes.items():
        if size < 0:
            raise InvalidArgument(f"Tensor name: {name} has no shape information ")
        if size != next(iter(sizes.values())):
            expected = next(iter(sizes.values()))
            raise InvalidArgument(f"Tensor name: {name} has inconsistent batch size: {size} expecting: {expected}")
    count = next(iter(sizes.values()), 0)
    if len(outputs) == 1:
        return dump({"predictions": _one_or_named(outputs)})
    rows = [{name: _plain(name, array[row]) for name, array in outputs.items()} for row in range(count)]
    return dump({"predictions": rows})


def _one_or_named(outputs: Mapping[str, Array]) -> Any:
    plain = {name: _plain(name, array) for name, array in outputs.items()}
    return next(iter(plain.values())) if len(plain) == 1 else plain


def _plain(name: str, array: Any) -> Any:
    """Return what orjson can write: arrays of numbers as they are, strings as text or base64."""
    if isinstance(array, bytes | str):
        return _text(name, array)
    array = np.asarray(array)
    if array.dtype.kind in "OSU":
        return _map_leaves(array.tolist(), lambda value: _text(name, value))
    return np.ascontiguousarray(array) if array.ndim else array[()]


def _map_leaves(value: Any, change: Any) -> Any:
    return [_map_leaves(item, change) for item in value] if isinstance(value, list) else change(value)


def _text(name: str, value: Any) -> Any:
    data = value if isinstance(value, bytes) else str(value).encode()
    if name.endswith("_bytes"):
        return {"b64": base64.b64encode(data).decode("ascii")}
    return data.decode("utf-8", errors="replace")


def dump(document: Any) -> bytes:
    """Write JSON. Numbers of float32 have as many digits as float32 needs; NaN and Infinity are bare words."""
    if _is_finite(document):
        return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    return json.dumps(_with_python_numbers(document)).encode()


def _is_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_finite(item) for item in value.values())
    if isinstance(value, list):
        return all(_is_finite(item) for item in value)
    if isinstance(value, np.ndarray | np.generic | float):
        return np.asarray(value).dtype.kind not in "fc" or bool(np.isfinite(value).all())
    return True


def _with_python_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_python_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_python_numbers(item) for item in value]
    if isinstance(value, np.ndarray):
        return [_with_python_numbers(item) for item in value]
    if isinstance(value, np.floating):
        return float(str(value))
    return value.item() if isinstance(value, np.generic) else value


def _shown(value: Any) -> str:
    """Return the beginning of a value for a message."""
    text = json.dumps(value, default=str)
    return text if len(text) <= 200 else text[:200] + "..."

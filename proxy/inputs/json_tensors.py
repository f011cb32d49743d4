"""JSON tensors: the two forms of TensorFlow Serving's REST predict request, into arrays checked against the signature.

The row form lists whole examples (`instances`), the column form whole inputs (`inputs`); bytes stand as
`{"b64": "..."}`. The forms are those of https://www.tensorflow.org/tfx/serving/api_rest, and what TensorFlow Serving
takes beyond them (tensorflow_serving/util/json_tensor.cc) is taken here as well: other keys beside the forms' own,
other names beside a signature's inputs in the column form, and an empty `signature_name`. It is stricter where a value
would be changed on its way: NaN and Infinity, which are no JSON, and numbers that their type cannot hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from numpy.typing import NDArray

from proxy.backend.signatures import DEFAULT_SIGNATURE, ModelDescription, Signature
from proxy.errors import InvalidJson, InvalidTensor
from proxy.inputs.json_document import kind_of, read_document
from proxy.inputs.json_numbers import NumberText
from proxy.inputs.json_values import is_bytes, read_rows, read_values

Array = NDArray[Any]
Form = Literal["row", "column"]

_FORMS = 'Send {"instances": [...]} with one entry per example, or {"inputs": ...} with whole tensors'
_MOST_NAMES = 8


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
    return read_document(data, _FORMS, lambda document: _request(document, description))


def _request(value: Any, description: ModelDescription) -> TensorRequest:
    document = _checked(value)
    signature = named_signature(document, description)
    if "instances" in document:
        return TensorRequest(signature=signature.name, arrays=_rows(document["instances"], signature), form="row")
    return TensorRequest(signature=signature.name, arrays=_columns(document["inputs"], signature), form="column")


def _checked(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _invalid_json(f"a JSON {kind_of(document)}", "The body must be one JSON object")
    known = cast("dict[str, Any]", document)
    if ("instances" in known) == ("inputs" in known):
        found = "both instances and inputs" if "inputs" in known else "neither instances nor inputs"
        raise _invalid_json(found, "One of the two says how the tensors are written")
    return known


def named_signature(document: Mapping[str, Any], description: ModelDescription) -> Signature:
    """Return the signature that a request names with `signature_name`, or the default one.

    Raises:
        InvalidTensor: The model has no such signature.
    """
    name = document.get("signature_name", "")
    if not isinstance(name, str) or (name or DEFAULT_SIGNATURE) not in description.signatures:
        raise InvalidTensor(
            where="JSON body > signature_name",
            found=f"{str(name)[:80]!r}",
            reason=f"The model has the signatures {', '.join(sorted(description.signatures)) or '(none)'}",
            remedy="Name one of them, or leave the key out for serving_default",
        )
    return description.signatures[name or DEFAULT_SIGNATURE]


def _columns(inputs: Any, signature: Signature) -> Mapping[str, Array]:
    """Read the column form; a model with one input may have it without its name."""
    whole: dict[str, Any] = {}
    if not isinstance(inputs, dict) or is_bytes(cast("Any", inputs)):
        whole[_only_input(signature, "inputs")] = inputs
    named = whole or cast("dict[str, Any]", inputs)
    if not named.keys() >= signature.inputs.keys():
        _refuse_names(named, signature, "inputs")
    return {name: read_values(named[name], spec) for name, spec in signature.inputs.items()}


def _rows(instances: Any, signature: Signature) -> Mapping[str, Array]:
    """Read the row form: gather each input's values over all examples."""
    if isinstance(instances, NumberText):
        name = _only_input(signature, "instances")
        return {name: read_values(instances, signature.inputs[name])}
    examples = cast("list[Any]", instances if isinstance(instances, list) else [])
    if not examples:
        found = "an empty list" if isinstance(instances, list) else f"a {kind_of(instances)}"
        raise _invalid_json(f"{found} under instances", "It must be a list with one entry per example")
    if not isinstance(examples[0], dict) or is_bytes(examples[0]):
        name = _only_input(signature, "instances")
        return {name: read_values(examples, signature.inputs[name])}
    rows = [_named(example, signature, f"instances > {number}") for number, example in enumerate(examples)]
    return {name: read_rows([row[name] for row in rows], spec) for name, spec in signature.inputs.items()}


def _named(values: Any, signature: Signature, where: str) -> Mapping[str, Any]:
    """Check that an example names exactly the inputs of the signature."""
    named = cast("dict[str, Any]", values) if isinstance(values, dict) else dict[str, Any]()
    if named.keys() != signature.inputs.keys():
        _refuse_names(named, signature, where)
    return named


def _only_input(signature: Signature, where: str) -> str:
    if len(signature.inputs) != 1:
        _refuse_names({}, signature, where)
    return next(iter(signature.inputs))


def _refuse_names(found: Mapping[str, Any], signature: Signature, where: str) -> None:
    raise InvalidTensor(
        where=f"JSON body > {where}",
        found=f"the inputs {listed(found)}",
        reason=f"The signature {signature.name} takes {', '.join(repr(name) for name in sorted(signature.inputs))}",
        remedy="Give each of these, and no other",
    )


def listed(names: Iterable[str]) -> str:
    """Return the names that a request has, for a message; it may have any number of any length."""
    shown = sorted(names)
    more = f" and {len(shown) - _MOST_NAMES} more" if len(shown) > _MOST_NAMES else ""
    return (", ".join(repr(name[:80]) for name in shown[:_MOST_NAMES]) or "(none)") + more


def _invalid_json(found: str, reason: str) -> InvalidJson:
    return InvalidJson("JSON body", found, reason, _FORMS)

"""JSON examples: the REST form of TensorFlow Serving's Classify and Regress requests.

`{"signature_name": ..., "context": {...}, "examples": [{...}, ...]}`, each example an object of features; a feature is
one value or a list of values of one kind (tensorflow_serving/util/json_tensor.cc).
"""

from __future__ import annotations

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np

from proxy.errors import InvalidJson, InvalidTensor
from proxy.inputs.json_document import kind_of, parse_document
from proxy.inputs.json_values import decode_bytes, is_bytes
from proxy.wire.examples import Features

_MOST = float(np.finfo(np.float32).max)
_FORM = 'Send {"examples": [{"feature": [...]}, ...]}, with "context" for features that all examples share'


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesRequest:
    """Hold the examples of a Classify or a Regress request."""

    signature: str
    """Empty where the request names none."""
    examples: Sequence[Features]
    context: Features | None
    """Features that belong to every example."""


def parse_examples_request(data: bytes) -> ExamplesRequest:
    """Parse a JSON body into examples.

    Args:
        data: The body, UTF-8.

    Raises:
        InvalidJson: No JSON, or not of this form.
        InvalidTensor: A feature with values that a feature cannot hold.
    """
    document = _checked(parse_document(data, _FORM))
    signature = document.get("signature_name", "")
    if not isinstance(signature, str):
        raise _invalid_json(f"a {kind_of(signature)} under signature_name", "It must be the name of a signature")
    examples = [_features(example, f"examples > {row}") for row, example in enumerate(document["examples"])]
    context = _features(document["context"], "context") if "context" in document else None
    return ExamplesRequest(signature=signature, examples=examples, context=context)


def _checked(document: Any) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise _invalid_json(f"a JSON {kind_of(document)}", "The body must be one JSON object")
    known = cast("dict[str, Any]", document)
    kind = kind_of(known["examples"]) if "examples" in known else "missing key"
    if kind != "list" or not known["examples"]:
        found = f"{'an empty' if kind == 'list' else 'a'} {kind} under examples"
        raise _invalid_json(found, "It must be a list with one object per example")
    return known


def _features(example: Any, where: str) -> Features:
    if not isinstance(example, dict):
        raise _invalid_json(f"a {kind_of(example)} under {where}", "An example is an object of features")
    named = cast("dict[str, Any]", example)
    return {name: _feature(content, f"{where} > {name[:80]}") for name, content in named.items()}


def _feature(content: Any, where: str) -> Any:
    items = cast("list[Any]", content) if isinstance(content, list) else [content]
    values = [_value(item, where) for item in items]
    if len({isinstance(value, bytes) for value in values}) > 1:
        raise _invalid_feature(where, "texts among numbers", "A feature has values of one kind")
    return values


def _value(item: Any, where: str) -> bytes | int | float:
    if isinstance(item, bool):
        return int(item)
    if isinstance(item, float) and abs(item) > _MOST:
        raise _invalid_feature(where, "a number out of range", "Features hold floats of 32 bits")
    if isinstance(item, int | float):
        return item
    if isinstance(item, str):
        return item.encode()
    if not is_bytes(item):
        raise _invalid_feature(where, f"a {kind_of(item)} among the values", "A feature holds numbers, or texts")
    try:
        return decode_bytes(item["b64"])
    except (binascii.Error, ValueError) as error:
        raise _invalid_feature(where, f"broken base64 ({error})", "The bytes cannot be read") from error


def _invalid_json(found: str, reason: str) -> InvalidJson:
    return InvalidJson("JSON body", found, reason, _FORM)


def _invalid_feature(where: str, found: str, reason: str) -> InvalidTensor:
    remedy = 'Send one value or a list of values, bytes as {"b64": "..."}'
    return InvalidTensor(where=f"JSON body > {where}", found=found, reason=reason, remedy=remedy)

"""TensorFlow Serving's JSON, as its REST interface writes it: the text that the source paper measured.

Its source (tensorflow_serving/util/json_tensor.cc) says: a float is written with six digits where these give back the
same float32, otherwise with nine, and with `.0` where it would look whole; the answer is pretty-printed with four
blanks per level. In the row form every instance is one line; in the column form every number has a line of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np

_INDENT = " " * 4


def numbers(array: np.ndarray) -> list[str]:
    """Return the numbers of an array as TensorFlow Serving writes them."""
    if array.dtype.kind != "f":
        return [str(value) for value in array.ravel().tolist()]
    flat = array.astype(np.float32).ravel()
    values = flat.tolist()
    six = [f"{value:.6g}" for value in values]
    same = np.array(six, np.float64).astype(np.float32) == flat
    return [_decimal(text if kept else f"{value:.9g}") for text, kept, value in zip(six, same, values, strict=True)]


def _decimal(text: str) -> str:
    return text if "." in text or "e" in text else f"{text}.0"


def columns(outputs: Mapping[str, np.ndarray]) -> bytes:
    """Return the answer of the column form (`inputs` in the request)."""
    inner = 1 if len(outputs) == 1 else 2
    texts = {name: _spread(numbers(array), array.shape, inner) for name, array in outputs.items()}
    if len(texts) == 1:
        return f'{{\n{_INDENT}"outputs": {next(iter(texts.values()))}\n}}'.encode()
    members = ",\n".join(f'{_INDENT * 2}"{name}": {text}' for name, text in texts.items())
    return f'{{\n{_INDENT}"outputs": {{\n{members}\n{_INDENT}}}\n}}'.encode()


def rows(outputs: Mapping[str, np.ndarray]) -> bytes:
    """Return the answer of the row form (`instances` in the request): one line for each instance and output."""
    count = len(next(iter(outputs.values())))
    lines = [_row({name: array[number] for name, array in outputs.items()}) for number in range(count)]
    joined = (", " if len(outputs) == 1 else ",").join(lines)
    return f'{{\n{_INDENT}"predictions": [{joined}\n{_INDENT}]\n}}'.encode()


def _row(outputs: Mapping[str, np.ndarray]) -> str:
    if len(outputs) == 1:
        return _line(next(iter(outputs.values())))
    members = ",\n".join(f'{_INDENT * 3}"{name}": {_line(array)}' for name, array in outputs.items())
    return f"\n{_INDENT * 2}{{\n{members}\n{_INDENT * 2}}}"


def _line(array: np.ndarray) -> str:
    """Return an instance on one line; numbers and lists are parted by a comma and a blank."""
    return _nested(numbers(array), array.shape)


def _nested(texts: list[str], shape: tuple[int, ...]) -> str:
    if not shape:
        return texts[0]
    for size in reversed(shape):
        texts = ["[" + ", ".join(texts[start : start + size]) + "]" for start in range(0, len(texts), size)]
    return texts[0]


def _spread(texts: list[str], shape: tuple[int, ...], level: int) -> str:
    """Return a tensor with every number and every bracket on a line of its own."""
    if not shape:
        return texts[0]
    for depth in range(len(shape), 0, -1):
        size, inner, outer = shape[depth - 1], _INDENT * (level + depth), _INDENT * (level + depth - 1)
        texts = [
            f"[\n{inner}" + f",\n{inner}".join(texts[start : start + size]) + f"\n{outer}]"
            for start in range(0, len(texts), size)
        ]
    return texts[0]


def column_request(inputs: Mapping[str, np.ndarray]) -> bytes:
    """Return a request in the column form, written by Python's own encoder from numpy's lists: the paper's sender."""
    lists = {name: array.tolist() for name, array in inputs.items()}
    return json.dumps({"inputs": next(iter(lists.values())) if len(lists) == 1 else lists}).encode()


def row_request(inputs: Mapping[str, np.ndarray]) -> bytes:
    """Return a request in the row form by the same encoder."""
    lists = {name: array.tolist() for name, array in inputs.items()}
    if len(lists) == 1:
        return json.dumps({"instances": next(iter(lists.values()))}).encode()
    instances = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
    return json.dumps({"instances": instances}).encode()

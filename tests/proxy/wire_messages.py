"""Random answers of a model server, in all the ways that the wire allows to write one message; the same for a seed."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

Encoded = bytes

VARINT, FIXED64, BYTES, GROUP, END_GROUP, FIXED32 = range(6)

# Data type: the number of its list, how a value of the list is written, and the bytes of a value in tensor_content.
_TYPES = {
    1: (5, "f", 4),
    2: (6, "d", 8),
    3: (7, "v", 4),
    4: (7, "v", 1),
    5: (7, "v", 2),
    6: (7, "v", 1),
    7: (8, "b", 8),
    9: (10, "v", 8),
    10: (11, "v", 1),
    14: (13, "v", 2),
    17: (7, "v", 2),
    19: (13, "v", 2),
    22: (16, "v", 4),
    23: (17, "v", 8),
}
_LISTS = [(number, kind) for number, kind, _ in _TYPES.values()] + [(9, "f"), (12, "d")]
_NUMBERS = (0, 1, 2, 127, 128, 300, 2**14, 2**31 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64 - 2)


def varint(number: int, rng: random.Random, most: int = 10) -> Encoded:
    """Write a number, now and then in more bytes than it needs."""
    out = []
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    if rng.random() < 0.05:
        extra = rng.randrange(most - len(out) + 1)
        out = [*out[:-1], *([out[-1] | 0x80] + [0x80] * (extra - 1) + [0] if extra else out[-1:])]
    return bytes(out)


def tag(number: int, kind: int, rng: random.Random) -> Encoded:
    """Write a field's tag."""
    return varint(number << 3 | kind, rng, most=5)


def delimited(number: int, value: Encoded, rng: random.Random) -> Encoded:
    """Write a field with a length."""
    return tag(number, BYTES, rng) + varint(len(value), rng) + value


def response(rng: random.Random) -> Encoded:
    """Write a PredictResponse."""
    fields = [delimited(1, _entry(rng), rng) for _ in range(rng.randrange(4))]
    fields += [delimited(2, _model_spec(rng), rng) for _ in range(rng.randrange(3))]
    return _shuffled(fields, rng)


def _model_spec(rng: random.Random) -> Encoded:
    versions = [_shuffled([tag(1, VARINT, rng) + varint(rng.choice(_NUMBERS), rng)], rng) for _ in range(2)]
    choices = [
        delimited(1, b"model", rng),
        delimited(2, rng.choice(versions), rng),
        delimited(2, b"", rng),
        delimited(3, "시그니처".encode(), rng),
        delimited(4, b"stable", rng),
    ]
    return _shuffled(rng.sample(choices, rng.randrange(len(choices))), rng)


def _entry(rng: random.Random) -> Encoded:
    """Write an entry of the outputs; few names, so that there are two of one, and values in several parts."""
    parts = _tensor(rng)
    cut = rng.randrange(len(parts) + 1) if rng.random() < 0.2 else len(parts)
    values = [_shuffled(some, rng) for some in (parts[:cut], parts[cut:]) if some or rng.random() < 0.5]
    keys = [delimited(1, rng.choice([b"scores", b"boxes", b"", "é".encode()]), rng)] * (rng.random() < 0.95)
    return _shuffled(keys + [delimited(2, value, rng) for value in values], rng)


def _tensor(rng: random.Random) -> list[Encoded]:
    """Write the fields of a TensorProto whose values mostly fill its shape."""
    data_type = rng.choice([*_TYPES, 1, 1, 3, 9]) if rng.random() < 0.97 else rng.choice([0, 8, 77])
    number, kind, width = _TYPES.get(data_type, (5, "f", 4))
    sizes = [rng.randrange(4) if rng.random() < 0.2 else rng.randrange(1, 4) for _ in range(rng.randrange(4))]
    wanted = 1
    for size in sizes:
        wanted *= size
    count = wanted if rng.random() < 0.6 else rng.randrange(1, wanted + 1) if wanted and rng.random() < 0.9 else 3
    fields = [tag(1, VARINT, rng) + varint(data_type, rng), *_shapes(sizes, rng)]
    if rng.random() < 0.3:
        fields.append(tag(3, VARINT, rng) + varint(rng.randrange(3), rng))
    if kind != "b" and rng.random() < 0.3:
        fields.append(delimited(4, rng.randbytes(count * width) if width > 1 else bytes([1] * count), rng))
    else:
        fields += _list(number, kind, count, rng)
    if rng.random() < 0.3:
        fields += _list(*rng.choice([some for some in _LISTS if some[0] != number]), rng.randrange(4), rng)
    return fields


def _shapes(sizes: list[int], rng: random.Random) -> list[Encoded]:
    """Write the shape, sometimes as two shapes that are to be merged."""
    dims = [_dim(size, rng) for size in sizes]
    cut = rng.randrange(len(dims) + 1) if rng.random() < 0.2 else 0
    flag = [tag(3, VARINT, rng) + varint(rng.randrange(2), rng)] if rng.random() < 0.05 else []
    shapes = [dims[:cut], dims[cut:] + flag] if cut else [dims + flag]
    # The order of the dimensions is part of the value, so these fields are not shuffled.
    return [delimited(2, b"".join(shape), rng) for shape in shapes if shape or rng.random() < 0.5]


def _dim(size: int, rng: random.Random) -> Encoded:
    fields = [tag(1, VARINT, rng) + varint(size, rng)] * (size > 0 or rng.random() < 0.5)
    if rng.random() < 0.1:
        fields.append(delimited(2, "높이".encode(), rng))
    return delimited(2, _shuffled(fields, rng), rng)


def _list(number: int, kind: str, count: int, rng: random.Random) -> list[Encoded]:
    """Write a list of values in chunks; each is packed, or a value with a tag of its own."""
    values = [_value(kind, rng) for _ in range(count)]
    wire = {"f": FIXED32, "d": FIXED64, "v": VARINT}
    fields = []
    packed_only = rng.random() < 0.5
    while values:
        size = len(values) if rng.random() < 0.5 else rng.randrange(1, len(values) + 1)
        chunk, values = values[:size], values[size:]
        if kind == "b":
            fields += [delimited(number, value, rng) for value in chunk]
        elif packed_only or rng.random() < 0.5:
            fields.append(delimited(number, b"".join(chunk), rng))
        else:
            fields += [tag(number, wire[kind], rng) + value for value in chunk]
        if rng.random() < 0.1 and kind != "b":
            fields.append(delimited(number, b"", rng))
    return fields


def _value(kind: str, rng: random.Random) -> Encoded:
    if kind == "b":
        return rng.randbytes(rng.randrange(5))
    if kind == "v":
        return varint(rng.choice(_NUMBERS) if rng.random() < 0.5 else rng.randrange(300), rng)
    return struct.pack(f"<{kind}", rng.choice([0.0, -0.0, 1.5, float("inf"), float("nan"), rng.gauss(0, 1)]))


def _shuffled(fields: list[Encoded], rng: random.Random) -> Encoded:
    """Put fields together: in another order, and with fields among them that no definition has."""
    fields = list(fields)
    if rng.random() < 0.3:
        rng.shuffle(fields)
    if rng.random() < 0.1:
        fields.insert(rng.randrange(len(fields) + 1), _unknown(rng))
    return b"".join(fields)


def _unknown(rng: random.Random, depth: int = 3) -> Encoded:
    number = rng.choice([99, 1000, 2**29 - 1])
    kind = rng.choice([VARINT, FIXED64, BYTES, FIXED32, GROUP])
    if kind == GROUP:
        inside = b"".join(_unknown(rng, depth - 1) for _ in range(rng.randrange(3))) if depth else b""
        return tag(number, GROUP, rng) + inside + tag(number, END_GROUP, rng)
    if kind == BYTES:
        return delimited(number, rng.randbytes(rng.randrange(20)), rng)
    value = varint(rng.choice(_NUMBERS), rng) if kind == VARINT else rng.randbytes(8 if kind == FIXED64 else 4)
    return tag(number, kind, rng) + value


def damaged(data: Encoded, rng: random.Random) -> Encoded:
    """Change some bytes of a message: mostly one thing, sometimes several."""
    while True:
        data = rng.choice(_DAMAGES)(data, rng.randrange(len(data) + 1), rng)
        if rng.random() < 0.6:
            return data


def _cut(data: Encoded, at: int, rng: random.Random) -> Encoded:
    return data[:at]


def _without_some(data: Encoded, at: int, rng: random.Random) -> Encoded:
    return data[:at] + data[at + rng.randrange(1, 5) :]


def _with_more(data: Encoded, at: int, rng: random.Random) -> Encoded:
    return data[:at] + rng.randbytes(rng.randrange(1, 5)) + data[at:]


def _with_other(data: Encoded, at: int, rng: random.Random) -> Encoded:
    return data[:at] + bytes([rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])]) + data[at + 1 :]


def _with_flipped_bit(data: Encoded, at: int, rng: random.Random) -> Encoded:
    return data[:at] + bytes(byte ^ 1 << rng.randrange(8) for byte in data[at : at + 1]) + data[at + 1 :]


def _with_repetition(data: Encoded, at: int, rng: random.Random) -> Encoded:
    return data[:at] + data[rng.randrange(at + 1) : at] + data[at:]


_DAMAGES: list[Callable[[Encoded, int, random.Random], Encoded]] = [
    _cut,
    _without_some,
    _with_more,
    _with_other,
    _with_other,
    _with_flipped_bit,
    _with_flipped_bit,
    _with_repetition,
]

"""Random messages of any type, the same for the same seed."""

from __future__ import annotations

import math
import random
import struct
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

INTEGERS = {
    Field.TYPE_INT32: (-(2**31), 2**31 - 1),
    Field.TYPE_INT64: (-(2**63), 2**63 - 1),
    Field.TYPE_UINT32: (0, 2**32 - 1),
    Field.TYPE_UINT64: (0, 2**64 - 1),
    Field.TYPE_FIXED32: (0, 2**32 - 1),
    Field.TYPE_FIXED64: (0, 2**64 - 1),
    Field.TYPE_SINT32: (-(2**31), 2**31 - 1),
    Field.TYPE_SINT64: (-(2**63), 2**63 - 1),
    Field.TYPE_SFIXED32: (-(2**31), 2**31 - 1),
    Field.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
}


def fill(message: Message, rng: random.Random, depth: int = 4) -> None:
    """Set about two of three fields of `message`, down to `depth` messages deep."""
    for field in message.DESCRIPTOR.fields:
        if rng.random() < 2 / 3 and (depth > 0 or field.message_type is None):
            _fill_field(message, field, rng, depth)


def _fill_field(message: Message, field: Field, rng: random.Random, depth: int) -> None:
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        _fill_map(getattr(message, field.name), field, rng, depth)
    elif field.is_repeated:
        for _ in range(rng.randrange(4)):
            _append(getattr(message, field.name), field, rng, depth)
    elif field.message_type is not None:
        child = getattr(message, field.name)
        child.SetInParent()
        fill(child, rng, depth - 1)
    else:
        setattr(message, field.name, scalar(field, rng))


def _fill_map(container: Any, field: Field, rng: random.Random, depth: int) -> None:
    key, value = field.message_type.fields_by_name["key"], field.message_type.fields_by_name["value"]
    for _ in range(rng.randrange(3)):
        if value.message_type is not None:
            fill(container[scalar(key, rng)], rng, depth - 1)
        else:
            container[scalar(key, rng)] = scalar(value, rng)


def _append(container: Any, field: Field, rng: random.Random, depth: int) -> None:
    if field.message_type is not None:
        fill(container.add(), rng, depth - 1)
    else:
        container.append(scalar(field, rng))


def scalar(field: Field, rng: random.Random) -> Any:
    """Return a value for one field: edges of the range as often as the middle."""
    if field.type in INTEGERS:
        low, high = INTEGERS[field.type]
        return rng.choice([0, low, high, rng.randint(low, high), rng.randint(max(low, -100), 100)])
    if field.type == Field.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == Field.TYPE_ENUM:
        return rng.choice(field.enum_type.values).number
    if field.type in (Field.TYPE_FLOAT, Field.TYPE_DOUBLE):
        number = rng.choice([0.0, -0.0, 1.5, math.inf, -math.inf, rng.gauss(0, 1e6)])
        return struct.unpack("f", struct.pack("f", number))[0] if field.type == Field.TYPE_FLOAT else number
    data = rng.randbytes(rng.randrange(20))
    return data if field.type == Field.TYPE_BYTES else data.hex() + rng.choice(["", "é", "한국"])

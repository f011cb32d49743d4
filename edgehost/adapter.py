"""Between Pulumi's property values and the dataclasses that resources are written with.

A field `restart_on` is the property `restartOn`. Fields may be str, bool, int, float, optional, list[str],
dict[str, str] or a dataclass of such. Unknown values (of a preview) are never put into a dataclass: whoever asks first
looks with `has_unknowns`.
"""

import dataclasses
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime.rpc import UNKNOWN

from edgehost.naming import property_name

Properties = Mapping[str, PropertyValue]
T = TypeVar("T")
UNKNOWN_VALUE = PropertyValue(UNKNOWN)


class WrongType(Exception):
    """Say that a property is missing or not of its field's type; the text is the reason, `path` the property."""

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        super().__init__(reason)


def properties_of(cls: type) -> list[str]:
    """List the properties of a dataclass, in order."""
    return [property_name(field.name) for field in dataclasses.fields(cls)]


def plain(value: PropertyValue | None) -> object:
    """Return a property as plain Python values, without secrecy and dependencies; unknown stays UNKNOWN's string."""
    content = value.value if value is not None else None
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        # Pulumi leaves out keys whose value is null, so that an absent key and a null are the same.
        return {key: plain(item) for key, item in content.items() if item.value is not None}
    if isinstance(content, Sequence):
        return [plain(item) for item in content]
    return content


def is_unknown(value: PropertyValue | None) -> bool:
    """Return whether a property, or anything in it, is not known yet."""
    return _holds_unknown(plain(value))


def has_unknowns(properties: Properties) -> bool:
    """Return whether anything in the properties is not known yet."""
    return any(is_unknown(value) for value in properties.values())


def secret_properties(properties: Properties) -> frozenset[str]:
    """Return the names of the properties that hold a secret."""
    return frozenset(name for name, value in properties.items() if value.contains_secret())


def with_secrets(properties: Properties, secret: Iterable[str]) -> dict[str, PropertyValue]:
    """Return the properties with the named ones marked as secrets."""
    names = set(secret)
    return {name: value.with_secret(True) if name in names else value for name, value in properties.items()}


def load(cls: type[T], properties: Properties) -> T:
    """Return the dataclass that the properties describe; properties without a field are left aside.

    Raises:
        WrongType: A property is missing or of a wrong type.
    """
    return _load_object(cls, {name: plain(value) for name, value in properties.items()}, "")


def dump(instance: object) -> dict[str, PropertyValue]:
    """Return a dataclass as properties; fields that are None are left out."""
    fields = dataclasses.fields(typing.cast(Any, instance))
    pairs = ((property_name(field.name), getattr(instance, field.name)) for field in fields)
    return {name: to_property(value) for name, value in pairs if value is not None}


def to_property(value: object) -> PropertyValue:
    """Return a plain value or a dataclass as a property value."""
    if isinstance(value, bool | str) or value is None:
        return PropertyValue(value)
    if isinstance(value, int | float):
        return PropertyValue(float(value))
    if isinstance(value, Mapping):
        pairs = typing.cast(Mapping[str, object], value)
        return PropertyValue({key: to_property(item) for key, item in pairs.items()})
    if isinstance(value, Sequence):
        return PropertyValue([to_property(item) for item in typing.cast(Sequence[object], value)])
    return PropertyValue(dump(value))


def missing_defaults(cls: type, properties: Properties) -> dict[str, PropertyValue]:
    """Return the default values of those fields that the properties leave out."""
    defaults: dict[str, PropertyValue] = {}
    for field in dataclasses.fields(cls):
        name = property_name(field.name)
        given = properties.get(name)
        if given is not None and given.value is not None:
            continue
        value = _default(field)
        if value is not None:
            defaults[name] = to_property(value)
    return defaults


def _default(field: dataclasses.Field[Any]) -> object:
    if field.default is not dataclasses.MISSING:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None


def _holds_unknown(value: object) -> bool:
    if isinstance(value, str):
        return value == UNKNOWN
    if isinstance(value, dict):
        return any(_holds_unknown(item) for item in typing.cast(dict[str, object], value).values())
    if isinstance(value, list):
        return any(_holds_unknown(item) for item in typing.cast(list[object], value))
    return False


def _load_object(cls: type[T], values: Mapping[str, object], path: str) -> T:
    hints = typing.get_type_hints(cls)
    arguments: dict[str, object] = {}
    for field in dataclasses.fields(typing.cast(Any, cls)):
        name = property_name(field.name)
        value = values.get(name)
        if value is None and _has_default(field):
            continue
        arguments[field.name] = _load_value(hints[field.name], value, f"{path}{name}")
    return cls(**arguments)


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _load_value(hint: Any, value: object, path: str) -> object:
    if isinstance(hint, types.UnionType):
        inner = [member for member in typing.get_args(hint) if member is not types.NoneType]
        return None if value is None else _load_value(inner[0], value, path)
    if value is None:
        raise WrongType(path, "this argument is required")
    if typing.get_origin(hint) is list:
        return _load_list(typing.get_args(hint)[0], value, path)
    if typing.get_origin(hint) is dict:
        return _load_dict(typing.get_args(hint)[1], value, path)
    if dataclasses.is_dataclass(hint):
        return _load_object(typing.cast(type[Any], hint), _as_mapping(value, path), f"{path}.")
    return _load_scalar(hint, value, path)


def _load_list(member: Any, value: object, path: str) -> list[object]:
    if not isinstance(value, list):
        raise WrongType(path, f"a list is needed, not {value!r}")
    items = typing.cast(list[object], value)
    return [_load_value(member, item, f"{path}[{index}]") for index, item in enumerate(items)]


def _load_dict(member: Any, value: object, path: str) -> dict[str, object]:
    return {key: _load_value(member, item, f"{path}.{key}") for key, item in _as_mapping(value, path).items()}


def _as_mapping(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise WrongType(path, f"an object is needed, not {value!r}")
    return typing.cast(dict[str, object], value)


def _load_scalar(hint: Any, value: object, path: str) -> object:
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, hint):
        return value
    raise WrongType(path, f"a value of type {hint.__name__} is needed, not {type(value).__name__}")

"""Between the engine's property values and plain Python ones."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi.provider.experimental.property_value import Computed, PropertyValue
from pulumi.runtime import rpc

Inputs = dict[str, Any]


class _Unknown:
    """A value that only an update will tell; it equals nothing, itself included."""

    def __eq__(self, other: object) -> bool:
        return False

    __hash__ = None  # type: ignore[assignment]


def plain(value: PropertyValue) -> Any:
    """Return the content without marks of secrecy or dependency."""
    content = value.value
    if isinstance(content, Computed) or content == rpc.UNKNOWN:
        return _Unknown()
    if isinstance(content, Mapping):
        return {key: plain(item) for key, item in content.items()}
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [plain(item) for item in content]
    return content


def plain_map(values: Mapping[str, PropertyValue]) -> Inputs:
    """Return all contents, those that are null left out, as the official plugin does not tell null from absent."""
    content = {key: plain(value) for key, value in values.items()}
    return {key: value for key, value in content.items() if value is not None}


def is_unknown(value: object) -> bool:
    """Say whether the value is told only by an update."""
    return isinstance(value, _Unknown)


def unknown() -> PropertyValue:
    """Return a value that only an update will tell, in the form in which it travels.

    The SDK can neither write nor read its own `Computed`: on the wire it is a string that stands for it.
    """
    return PropertyValue(rpc.UNKNOWN)

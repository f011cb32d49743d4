"""The provider's schema, drawn from the resources' dataclasses."""

import dataclasses
import json
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

from edgehost import VERSION
from edgehost.naming import property_name
from edgehost.resource import Resource

SCALARS = {str: "string", bool: "boolean", int: "integer", float: "number"}


def schema_of(package: str, resources: Mapping[str, Resource[Any, Any]], settings: Sequence[type]) -> str:
    """Return the schema as JSON text.

    Args:
        package: The package's name.
        resources: Token to each kind of resource.
        settings: Dataclasses that together are the provider's configuration.
    """
    configuration = {name: kind for cls in settings for name, kind in _properties(cls).items()}
    return json.dumps(
        {
            "name": package,
            "version": VERSION,
            "description": "What a Linux host is, read over SSH, compared, changed and undone.",
            "provider": {"inputProperties": configuration},
            "resources": {f"{package}:index:{token}": _resource(kind) for token, kind in resources.items()},
        }
    )


def _resource(resource: Resource[Any, Any]) -> dict[str, object]:
    return {
        "description": (type(resource).__doc__ or "").strip(),
        "inputProperties": _properties(resource.inputs),
        "requiredInputs": _required(resource.inputs),
        "properties": _properties(resource.state),
        "required": _required(resource.state),
    }


def _properties(cls: type) -> dict[str, object]:
    hints = typing.get_type_hints(cls)
    return {property_name(field.name): _type(hints[field.name]) for field in dataclasses.fields(cls)}


def _required(cls: type) -> list[str]:
    return [property_name(field.name) for field in dataclasses.fields(cls) if field.default is dataclasses.MISSING]


def _type(hint: Any) -> dict[str, object]:
    if isinstance(hint, types.UnionType):
        return _type(next(member for member in typing.get_args(hint) if member is not types.NoneType))
    if typing.get_origin(hint) is list:
        return {"type": "array", "items": _type(typing.get_args(hint)[0])}
    if typing.get_origin(hint) is dict or hint not in SCALARS:
        return {"type": "object", "additionalProperties": {"type": "string"}}
    return {"type": SCALARS[hint]}

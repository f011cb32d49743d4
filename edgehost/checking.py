"""Checking a resource's inputs before any host is asked."""

from typing import Any

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import CheckFailure

from edgehost import adapter
from edgehost.errors import InputError
from edgehost.resource import Resource

Checked = tuple[dict[str, PropertyValue], list[CheckFailure]]


def check_inputs(resource: Resource[Any, Any], given: adapter.Properties) -> Checked:
    """Return the inputs with defaults and worked-out values filled in, and every failure found.

    While anything is unknown only the names are checked; the rest is checked again when all is known.
    """
    names = adapter.properties_of(resource.inputs)
    failures = [_unknown_argument(name, names) for name in given if name not in names]
    inputs = {**given, **adapter.missing_defaults(resource.inputs, given)}
    if failures or adapter.has_unknowns(inputs):
        return inputs, failures
    try:
        return _complete(resource, inputs)
    except adapter.WrongType as error:
        return inputs, [CheckFailure(error.path, str(error))]
    except InputError as error:
        return inputs, [CheckFailure(error.message.where, str(error))]


def _complete(resource: Resource[Any, Any], inputs: dict[str, PropertyValue]) -> Checked:
    loaded = adapter.load(resource.inputs, inputs)
    problems = resource.check(loaded)
    if problems:
        return inputs, [CheckFailure(problem.message.where, str(problem)) for problem in problems]
    completed = adapter.dump(resource.complete(loaded))
    return adapter.with_secrets(completed, adapter.secret_properties(inputs) & completed.keys()), []


def _unknown_argument(name: str, names: list[str]) -> CheckFailure:
    return CheckFailure(name, f"there is no argument of this name; there are {', '.join(names)}")

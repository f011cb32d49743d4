"""Comparing what was found on a host with what is wanted."""

from collections.abc import Iterator
from typing import Any, cast

from pulumi.provider.experimental.provider import DiffResponse, PropertyDiff, PropertyDiffKind

from edgehost import adapter
from edgehost.resource import Resource

HOST_NAME = "host.name"


def compare(resource: Resource[Any, Any], found: adapter.Properties, wanted: adapter.Properties) -> DiffResponse:
    """Return every property that differs, by its path; only what the program can ask for is compared.

    Args:
        resource: The kind of resource.
        found: The state as it was read from the host.
        wanted: The checked inputs.
    """
    diffs: dict[str, PropertyDiff] = {}
    compared = [name for name in adapter.properties_of(resource.inputs) if name not in resource.not_compared]
    for name in compared:
        for path, old, new in _differences(name, adapter.plain(found.get(name)), adapter.plain(wanted.get(name))):
            replaces = path == HOST_NAME or not resource.replace_on.isdisjoint((path, name))
            diffs[path] = PropertyDiff(_kind(old, new, replaces), input_diff=False)
    replaced = sorted({path for path, diff in diffs.items() if diff.kind.name.endswith("REPLACE")})
    return DiffResponse(
        changes=bool(diffs),
        replaces=replaced,
        delete_before_replace=bool(replaced) and resource.delete_before_replace,
        diffs=sorted({path.split(".")[0].split("[")[0] for path in diffs}),
        detailed_diff=diffs,
    )


def _differences(path: str, old: object, new: object) -> Iterator[tuple[str, object, object]]:
    if old == new:
        return
    if not isinstance(old, dict) or not isinstance(new, dict):
        yield path, old, new
        return
    before, after = cast(dict[str, object], old), cast(dict[str, object], new)
    for key in sorted(before.keys() | after.keys()):
        yield from _differences(_below(path, key), before.get(key), after.get(key))


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if key.isidentifier() else f'{path}["{key}"]'


def _kind(old: object, new: object, replaces: bool) -> PropertyDiffKind:
    verb = "ADD" if old is None else "DELETE" if new is None else "UPDATE"
    return PropertyDiffKind[f"{verb}_REPLACE" if replaces else verb]

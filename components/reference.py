"""Write what the site model says into docs/: the reference page and the editor's schema.

python -m components.reference           write docs/configuration.md and docs/site.schema.json
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from components.load import PROJECT
from components.site import Part, Site

PAGE = PROJECT / "docs" / "configuration.md"
SCHEMA = PROJECT / "docs" / "site.schema.json"

INTRODUCTION = """\
# Configuration

A site is one stack, and its file is `Pulumi.SITE.yaml`; everything is below the key `kubevc:site`.
`make site NAME=seoul` writes a file to start from, and `.venv/bin/python -m components.check Pulumi.seoul.yaml`
tells everything that is wrong with it. In paths `~` is your home folder, `${KUBEVC_CACHE}` the cache (`make env`
shows it), and a relative path is below the project folder. Numbers have their unit in their name. A key that
is not on this page is refused.

This page is made from `components/site.py` by `make docs`; the same text is shown by editors that know YAML schemas,
through `docs/site.schema.json`.

"""


def part_in(annotation: Any) -> type[Part] | None:
    """Return the part that a field is made of, also inside a list or beside None."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((found for inner in get_args(annotation) if (found := part_in(inner)) is not None), None)


def type_name(annotation: Any) -> str:
    """Return what a person writes for a field."""
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{value}`" for value in get_args(annotation))
    if get_origin(annotation) is Annotated:
        return type_name(get_args(annotation)[0])
    inner = [argument for argument in get_args(annotation) if argument not in (type(None), ...)]
    if get_origin(annotation) is tuple:
        return f"list of {type_name(inner[0])}"
    if get_origin(annotation) is dict:
        return "keys with values"
    if inner:
        return type_name(inner[0])
    names = {"str": "text", "int": "whole number", "bool": "true or false", "Path": "path"}
    names |= {"IPv4Address": "address", "IPv4Network": "network"}
    return names.get(annotation.__name__, "keys")


def default_text(field: FieldInfo) -> str:
    """Return a field's default as a person would write it, or that there is none."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or value is None or value in ((), {}):
        return "default: empty"
    if isinstance(value, Part):
        return "default: its own defaults"
    shown = str(value) if isinstance(value, IPv4Network | str) else json.dumps(value)
    return f"default: `{shown}`"


def bounds_text(field: FieldInfo) -> str:
    """Return the limits of a number, where it has any."""
    limits: dict[str, Any] = {}
    for rule in field.metadata:
        for name in ("ge", "gt", "le", "lt"):
            if (value := getattr(rule, name, None)) is not None:
                limits[name] = value
    low = limits.get("ge", limits["gt"] + 1 if "gt" in limits else None)
    high = limits.get("le", limits["lt"] - 1 if "lt" in limits else None)
    if low is None and high is None:
        return ""
    return f" ({low} to {high})" if low is not None and high is not None else f" (at least {low})"


def sections(part: type[Part], path: str) -> Iterator[str]:
    """Yield the page's lines for a part and everything in it."""
    yield f"{'#' * 2} `{path or 'kubevc:site'}`\n"
    yield f"{inspect.getdoc(part)}\n"
    inner: list[tuple[type[Part], str]] = []
    for name, field in part.model_fields.items():
        key = field.alias or name
        description = " ".join((field.description or "").split())
        kind = f"{type_name(field.annotation)}{bounds_text(field)}"
        yield f"- **`{key}`** ({kind}; {default_text(field)}). {description}"
        if (child := part_in(field.annotation)) is not None:
            step = f"{key}[]" if get_origin(field.annotation) is tuple else key
            inner.append((child, f"{path}.{step}" if path else step))
    yield ""
    for child, child_path in inner:
        yield from sections(child, child_path)


def page() -> str:
    """Return the reference page."""
    return INTRODUCTION + "\n".join(sections(Site, "")).rstrip() + "\n"


def schema() -> str:
    """Return the JSON schema of a whole stack file."""
    site = Site.model_json_schema(by_alias=True)
    definitions = site.pop("$defs")
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A KubEVC site",
        "type": "object",
        "properties": {
            "config": {"type": "object", "properties": {"kubevc:site": {"$ref": "#/$defs/Site"}}},
        },
        "$defs": {**definitions, "Site": site},
    }
    return json.dumps(whole, indent=2) + "\n"


def write(target: Path, text: str) -> None:
    """Write a page and say so."""
    target.parent.mkdir(exist_ok=True)
    target.write_text(text)
    print(target.relative_to(PROJECT))


if __name__ == "__main__":
    write(PAGE, page())
    write(SCHEMA, schema())

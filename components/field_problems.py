"""Words pydantic's field errors for people: where, found, why, fix."""

from __future__ import annotations

import difflib
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from components.errors import Problem
from components.site import Part, Site

ADDRESS = ("An address tells which host is entered.", "Write four numbers, such as 192.168.1.10.")
NETWORK = (
    "A range of addresses ends in its prefix length and starts at its first address.",
    "Write a range such as 10.42.0.0/16.",
)
PLAIN_TYPES = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "text (in quotes where it looks like a number)",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "keys with values",
    "model_type": "keys with values",
    "path_type": "a path",
}
BOUNDS = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
}
FORMS = {
    "address": ADDRESS,
    "pod-cidr": NETWORK,
    "service-cidr": NETWORK,
    "name": ("It becomes a DNS name.", "Use lower-case letters, digits and hyphens, at most 63, such as edge-1."),
    "model": ("It is the name of a model.", "Use lower-case letters, digits and hyphens, at most 63."),
    "version": ("Artifacts are looked up by it.", "Write it as it is released, such as v1.34.3+k3s1."),
    "mirror": ("Hosts download from it.", "Write an address that starts with http:// or https://."),
    "path": ("Nodes mount it.", "Write an absolute path without a slash at its end, such as /export/models."),
}


def place(location: tuple[int | str, ...]) -> str:
    """Return a location as a person would point at it, list positions counted from 1."""
    return " > ".join(str(part + 1) if isinstance(part, int) else part for part in location) or "(top)"


def shown(value: Any, *, with_type: bool) -> str:
    """Return what was found, short, with its type where that is the point."""
    if value is None:
        return "nothing"
    if isinstance(value, str):
        return f"{value} (text)" if with_type else value or "empty text"
    if isinstance(value, bool):
        return f"{str(value).lower()} (true or false)"
    if isinstance(value, int | float):
        return f"{value} (a number)" if with_type else str(value)
    return "a list" if isinstance(value, list | tuple) else "keys with values"


def _keys_at(location: tuple[int | str, ...]) -> list[str]:
    """Return the keys that the part at a location knows."""
    part: Any = Site
    for step in location:
        if isinstance(step, int):
            continue
        field = next((f for n, f in part.model_fields.items() if (f.alias or n) == step), None)
        if field is None:
            return []
        part = _part_of(field.annotation)
        if part is None:
            return []
    return [field.alias or name for name, field in part.model_fields.items()]


def _part_of(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    inner: tuple[Any, ...] = get_args(annotation)
    return next((found for found in map(_part_of, inner) if found is not None), None)


def _unknown_key(error: ErrorDetails) -> Problem:
    location = error["loc"]
    known = _keys_at(location[:-1])
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Remove it; known here: {', '.join(known)}."
    return Problem(
        where=place(location),
        found="a key that nobody reads",
        why="What it asks for would silently not happen.",
        fix=hint,
    )


def _missing(error: ErrorDetails) -> Problem:
    return Problem(
        where=place(error["loc"]),
        found="nothing",
        why="There is no default that would be right for every site.",
        fix=f"Add {error['loc'][-1]}; docs/configuration.md tells what it means.",
    )


def _reason(error: ErrorDetails) -> tuple[str, str]:
    """Return why a value does not fit, and the fix."""
    kind, context, key = error["type"], error.get("ctx", {}), str(error["loc"][-1])
    if error["input"] is None and key in FORMS:
        return FORMS[key]
    if kind in PLAIN_TYPES:
        return (
            "Another type of value would be guessed at.",
            f"Write {PLAIN_TYPES[kind]}{', without quotes' if kind[:3] == 'int' else ''}.",
        )
    if kind in BOUNDS:
        return "The value is outside what can work.", f"Write {BOUNDS[kind].format(**context)}."
    if kind == "literal_error":
        return "Only what this version can do is accepted.", f"Write {context['expected']}."
    if kind == "too_short":
        return "A site needs at least one.", "Add one."
    return FORMS.get(key, (error["msg"] + ".", "See docs/configuration.md."))


def _problem(error: ErrorDetails) -> Problem:
    if error["type"] == "extra_forbidden":
        return _unknown_key(error)
    if error["type"] == "missing":
        return _missing(error)
    why, fix = _reason(error)
    found = shown(error["input"], with_type=error["type"] in PLAIN_TYPES)
    return Problem(where=place(error["loc"]), found=found, why=why, fix=fix)


def field_problems(problem: ValidationError) -> list[Problem]:
    """Return every field error of a site, worded for people."""
    errors = problem.errors(include_url=False)
    return [_problem(error) for error in errors if not _follows_from_others(error, errors)]


def _follows_from_others(error: ErrorDetails, errors: list[ErrorDetails]) -> bool:
    """Say whether a list counts as short only because its items have errors of their own."""
    depth = len(error["loc"])
    inside = (other for other in errors if len(other["loc"]) > depth and other["loc"][:depth] == error["loc"])
    return error["type"] == "too_short" and next(inside, None) is not None

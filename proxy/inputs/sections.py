"""Sections: parts of a JSON document, held against what a protocol says of them."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from proxy.errors import InvalidJson
from proxy.inputs.json_document import kind_of


class Section(BaseModel):
    """The base of sections; keys that they do not know are left alone, for other servers may."""

    model_config = ConfigDict(frozen=True)


_Section = TypeVar("_Section", bound=Section)


def _empty_for_null(value: Any) -> Any:
    return {} if value is None else value


Optional = Annotated[_Section, BeforeValidator(_empty_for_null)]
"""A section for which null stands as well."""


def read_section(section: type[_Section], value: Any, where: str, remedy: str) -> _Section:
    """Read a section.

    Args:
        section: What it must be.
        value: What it is.
        where: Its place in the document, for messages.
        remedy: What a message says to do.

    Raises:
        InvalidJson: A key is missing, or has another value than it may have.
    """
    if not isinstance(value, dict):
        raise InvalidJson(where, f"a JSON {kind_of(value)}", "It must be an object", remedy)
    try:
        return section.model_validate(value)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = " > ".join([where, *(str(part)[:80] for part in problem["loc"])])
        raise InvalidJson(place, problem["msg"], "The protocol has another value there", remedy) from None

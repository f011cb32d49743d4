"""Parts: what every section of a site's file has in common, and the types of its values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo

DNS_LABEL = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"


def to_kebab(name: str) -> str:
    """Return the file's spelling of a field name."""
    return name.replace("_", "-")


def expand(path: Path, info: ValidationInfo) -> Path:
    """Resolve `~`, `${KUBEVC_CACHE}` and paths relative to the project folder, as far as the context names them."""
    places: dict[str, Path] = info.context or {}
    text = str(path)
    if "cache" in places:
        text = text.replace("${KUBEVC_CACHE}", str(places["cache"]))
    full = Path(text).expanduser()
    return places["project"] / full if "project" in places else full


Name = Annotated[str, Field(pattern=DNS_LABEL)]
"""A lower-case DNS label: letters, digits and hyphens, at most 63."""
SitePath = Annotated[Path, AfterValidator(expand)]
"""A path; `~` and `${KUBEVC_CACHE}` are expanded, and a relative one is below the project folder."""
PortNumber = Annotated[int, Field(ge=1, le=65535)]


class Part(BaseModel):
    """A part of a site's file: frozen, and closed to keys that nobody reads."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        alias_generator=to_kebab,
        populate_by_name=True,
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

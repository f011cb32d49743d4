"""Documents: YAML files read into frozen models, with every problem of a file reported at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from proxy.errors import ConfigError


def _kebab_case(name: str) -> str:
    return name.replace("_", "-")


class Document(BaseModel):
    """Be a part of a YAML file: frozen, keys in kebab-case, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=_kebab_case, populate_by_name=True)


D = TypeVar("D", bound=Document)


def read_document(path: Path, kind: type[D]) -> D:
    """Read a YAML file as `kind`.

    Raises:
        ConfigError: The file cannot be read, is no YAML mapping, or has values that `kind` refuses (all of them named).
    """
    content = _parse(path, _read_text(path))
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise ConfigError(
            where=str(path),
            found="; ".join(_describe(problem) for problem in error.errors(include_url=False)),
            reason="The proxy starts only with a file that it understands wholly",
            remedy="Mend the keys named here (docs/proxy.md lists them all)",
        ) from error


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            where=str(path),
            found=f"the file cannot be read ({error})",
            reason="The proxy takes all its settings from files",
            remedy="Create the file, or name another one, and make it readable for the proxy's user",
        ) from error


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _not_a_mapping(path, " ".join(str(error).split())) from error
    if not isinstance(content, dict):
        raise _not_a_mapping(path, f"a {type(content).__name__} at the top")
    return content  # pyright: ignore[reportUnknownVariableType]  # YAML has no types; `kind` checks every key.


def _not_a_mapping(path: Path, found: str) -> ConfigError:
    return ConfigError(
        where=str(path),
        found=f"no YAML mapping: {found}",
        reason="Settings are read by their keys",
        remedy="Write the file as 'key: value' lines (docs/proxy.md has a whole one)",
    )


def _describe(problem: Any) -> str:
    """Say where in the file a problem is, and what was found there."""
    path = " > ".join(str(part) for part in problem["loc"]) or "the file as a whole"
    if problem["type"] in ("missing", "extra_forbidden"):
        return f"{path}: {'the key is missing' if problem['type'] == 'missing' else 'unknown key'}"
    return f"{path}: {problem['msg'][:1].lower()}{problem['msg'][1:]} (found {str(problem['input'])[:80]!r})"

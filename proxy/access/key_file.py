"""The file of keys: what is kept of each key, and whom it names.

    k3j9x2ab: {name: phone, sha256: 5f2c..., not-after: 2027-01-31, models: [detector]}

Several keys may have one name. A message about this file never shows a value of it: somebody may have written a key
where its hash belongs.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AwareDatetime, BeforeValidator, Field, TypeAdapter, ValidationError

from proxy.access.keys import ID_PATTERN, ApiKey
from proxy.access.settings import RateLimit
from proxy.access.watched_files import WatchedFiles
from proxy.document import Document
from proxy.errors import ConfigError
from proxy.telemetry.logs import log_event

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"


def _end_of_day(value: Any) -> Any:
    """Read a day as its last moment, in UTC, and a time without a zone as UTC."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.combine(value, time.max, UTC) if isinstance(value, date) else value


class KeyEntry(Document):
    """Hold what is kept of one key."""

    name: str = Field(pattern=NAME_PATTERN)
    """The client, in logs and metrics."""
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    not_after: Annotated[AwareDatetime, BeforeValidator(_end_of_day)] | None = None
    """The last moment of the key; a day means its end in UTC."""
    models: frozenset[str] | None = None
    """The models that it may ask; without this, all."""
    rate_limit: RateLimit | None = None
    """The client's own limit."""

    def opens_to(self, key: ApiKey) -> bool:
        """Say whether this is the entry of a key, in a time that does not tell how much of it is right."""
        return hmac.compare_digest(self.sha256, key.sha256)

    @property
    def expired(self) -> bool:
        """Say whether the key's time is over."""
        return self.not_after is not None and datetime.now(UTC) > self.not_after


_ENTRIES = TypeAdapter(dict[Annotated[str, Field(pattern=ID_PATTERN)], KeyEntry])

# Requests wait while the file is read again: the loader in C takes a tenth of the time.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class KeyFile:
    """Find the entries of keys; reads the file again when it has changed.

    Raises:
        ConfigError: The file cannot be used, at the start. Later on, such a file is logged and the keys stay.
    """

    def __init__(self, path: Path, pause_seconds: float = 1.0) -> None:
        self._path = path
        self._watched = WatchedFiles([path], pause_seconds)
        self._entries = read_entries(path)

    def find(self, key: ApiKey) -> KeyEntry | None:
        """Return the entry of a key, or None for a key that there is not."""
        if self._watched.changed():
            self._read_again()
        entry = self._entries.get(key.id)
        return entry if entry is not None and entry.opens_to(key) else None

    def _read_again(self) -> None:
        try:
            self._entries = read_entries(self._path)
        except ConfigError as error:
            log_event("keys-not-read", problem=error.message, kept=len(self._entries))
        else:
            log_event("keys-read", keys=len(self._entries))


def read_entries(path: Path) -> Mapping[str, KeyEntry]:
    """Read a file of keys.

    Raises:
        ConfigError: It cannot be read, is no YAML mapping, or has an entry that cannot be used.
    """
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)
        return _ENTRIES.validate_python(content)
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"it cannot be read ({type(error).__name__})") from None
    except yaml.YAMLError as error:
        raise _unusable(path, f"no YAML{_line_of(error)}") from None
    except ValidationError as error:
        raise _unusable(path, "; ".join(map(_describe, error.errors(include_url=False, include_input=False)))) from None


def _line_of(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    return f", in line {mark.line + 1}" if mark is not None else ""


def _describe(problem: Any) -> str:
    """Say what is wrong with an entry; an id may itself be a key put in the wrong place, so positions stand for it."""
    *_, last = problem["loc"] or ("the file as a whole",)
    if last == "[key]":
        return "an id that is not a lower-case letter and 7 letters or digits"
    path = " > ".join(str(part) for part in problem["loc"][1:])
    return (
        f"{f'an entry > {path}' if path else 'the file as a whole'}: {_MESSAGES.get(problem['type'], problem['msg'])}"
    )


_MESSAGES = {
    "missing": "the key is missing",
    "extra_forbidden": "unknown key",
    "string_pattern_mismatch": "not of its form",
    "dict_type": "no mapping of ids to entries",
}


def _unusable(path: Path, found: str) -> ConfigError:
    return ConfigError(
        where=str(path),
        found=found,
        reason="Only keys of a file that is understood wholly open anything",
        remedy="Mend it, with entries as `python -m proxy.access.new_key --name NAME` writes them; "
        "write {} for no keys at all",
    )

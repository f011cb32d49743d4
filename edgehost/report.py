"""What a script on a host prints: lines of a key and a value."""

import base64
from dataclasses import dataclass


@dataclass(frozen=True)
class Report:
    """Hold the lines that a script printed, in order."""

    lines: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> "Report":
        """Read `key value` lines; a line without a value has an empty one."""
        pairs = (line.partition(" ") for line in text.splitlines() if line)
        return cls(tuple((key, value) for key, _, value in pairs))

    def one(self, key: str, default: str = "") -> str:
        """Return the first value of a key."""
        return next((value for name, value in self.lines if name == key), default)

    def all(self, key: str) -> list[str]:
        """Return all values of a key, in order."""
        return [value for name, value in self.lines if name == key]

    def pairs(self, key: str) -> dict[str, str]:
        """Return the values of a key that are themselves `name value`."""
        split = (value.partition(" ") for value in self.all(key))
        return {name: value for name, _, value in split}

    def text(self, key: str) -> str:
        """Return a value that was printed in base64, as text; bytes that are not UTF-8 show as marks."""
        return base64.b64decode(self.one(key)).decode(errors="replace")

    def flag(self, key: str) -> bool:
        """Return whether a key's value is "true"."""
        return self.one(key) == "true"

"""API keys: how one is written, made and hashed.

A key is `kubevc_<id>_<random>`: the id finds its entry without trying all, the random part is 256 bits in base 62.
Only a SHA-256 of the whole key is kept. A slow hash protects secrets that people choose, by making each guess dear;
256 random bits cannot be guessed at any price, and the hash is taken at every request.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
from dataclasses import dataclass, field

# A letter first: YAML would read eight digits as a number.
ID_PATTERN = r"^[a-z][a-z0-9]{7}$"
_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_ID_DIGITS = string.digits + string.ascii_lowercase
_RANDOM_BITS = 256
_RANDOM_LENGTH = 43  # The fewest base-62 digits that hold 256 bits.
_FORM = re.compile(rf"kubevc_([a-z][a-z0-9]{{7}})_([0-9A-Za-z]{{{_RANDOM_LENGTH}}})")


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Hold a key; its text is in no repr."""

    id: str
    text: str = field(repr=False)

    @property
    def sha256(self) -> str:
        """Return what is kept of the key."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_key(text: str) -> ApiKey | None:
    """Return the key that a text is, or None."""
    form = _FORM.fullmatch(text)
    return form and ApiKey(form[1], text)


def new_key() -> ApiKey:
    """Make a key."""
    identity = secrets.choice(string.ascii_lowercase) + "".join(secrets.choice(_ID_DIGITS) for _ in range(7))
    return ApiKey(identity, f"kubevc_{identity}_{_base62(secrets.randbits(_RANDOM_BITS))}")


def _base62(number: int) -> str:
    digits = ""
    for _ in range(_RANDOM_LENGTH):
        number, digit = divmod(number, len(_DIGITS))
        digits = _DIGITS[digit] + digits
    return digits

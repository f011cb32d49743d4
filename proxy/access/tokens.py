"""Tokens: JSON Web Tokens of an OpenID Connect issuer, checked with PyJWT."""

from __future__ import annotations

from typing import Any

import jwt

from proxy.access.client import Client
from proxy.access.issuer_keys import IssuerKeys, issuer_keys
from proxy.access.settings import Oidc
from proxy.errors import Unauthenticated

_NAME_LENGTH = 128


class TokenCheck:
    """Tell clients by the tokens that their issuer signed.

    Raises:
        ConfigError: See `issuer_keys`.
    """

    def __init__(self, settings: Oidc, keys: IssuerKeys | None = None) -> None:
        self._settings = settings
        self._keys = keys or issuer_keys(settings)

    async def client(self, token: str) -> Client:
        """Return the client that a token names.

        Raises:
            Unauthenticated: The token is none, of another issuer or audience, expired, or signed with another key.
            IssuerUnavailable: The issuer's keys could not be had.
        """
        try:
            key = await self._keys.find(_key_id(token))
            if key is None:
                raise jwt.InvalidKeyError("its key is none of the issuer's")
            name = self._claims(token, key)[self._settings.client_claim]
        except jwt.PyJWTError as error:
            raise _refusal(error) from None
        if not isinstance(name, str) or not name.isprintable() or not 0 < len(name) <= _NAME_LENGTH:
            raise _refusal(jwt.InvalidTokenError(f"its claim {self._settings.client_claim} is no name"))
        return Client(name=name, kind="token")

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        settings = self._settings
        return jwt.decode(
            token,
            key,
            algorithms=list(settings.algorithms),
            audience=settings.audience,
            issuer=settings.issuer,
            leeway=settings.leeway_seconds,
            options={"require": ["exp", "iss", "aud", settings.client_claim]},
        )


def _key_id(token: str) -> str | None:
    kid = jwt.get_unverified_header(token).get("kid")
    return kid if isinstance(kid, str) else None


def _refusal(error: jwt.PyJWTError) -> Unauthenticated:
    """Say what is wrong with a token, without anything of it: PyJWT's words name claims, not their values."""
    return Unauthenticated(
        where="token",
        found=f"not accepted ({type(error).__name__}: {error})",
        reason="Only what the configured issuer signed for this endpoint, and not long ago, names a client",
        remedy="Get a new token from the issuer",
    )

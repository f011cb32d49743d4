"""The issuer's public keys: from a file, or from the issuer itself, kept and asked for again with restraint."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt

from proxy.access.settings import Oidc
from proxy.access.watched_files import WatchedFiles
from proxy.errors import ConfigError, IssuerUnavailable
from proxy.telemetry.logs import log_event

_KEPT_SECONDS = 600
_PAUSE_SECONDS = 60
_ATTEMPT_SECONDS = 5
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

KeySet = Mapping[str | None, jwt.PyJWK]


class IssuerKeys(Protocol):
    """Give the key of an id, or of None for a token that names none."""

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        """Return the key, or None for one that the issuer does not have.

        Raises:
            IssuerUnavailable: There are no keys to look among.
        """
        ...


def issuer_keys(settings: Oidc) -> IssuerKeys:
    """Return the keys that the settings name.

    Raises:
        ConfigError: The file cannot be used, or the issuer would be asked in clear over a network.
    """
    if settings.jwks_file is not None:
        return KeysInFile(settings.jwks_file)
    return AskedKeys(settings)


class KeysInFile:
    """Hold the keys of a file; it is read again when it has changed, and one that cannot be used leaves the old."""

    def __init__(self, path: Path, pause_seconds: float = 1.0) -> None:
        self._path = path
        self._watched = WatchedFiles([path], pause_seconds)
        self._keys = _keys_of_file(path)

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        """Return a key by its id."""
        if self._watched.changed():
            try:
                self._keys = _keys_of_file(self._path)
            except ConfigError as error:
                log_event("issuer-keys-not-read", problem=error.message)
        return self._keys.get(kid)


class AskedKeys:
    """Hold the keys that the issuer tells.

    They are asked for at the first token, again in the background when they are ten minutes old, and at once for an
    id that they do not have; never twice in a minute, so that made-up ids do not become requests to the issuer.
    """

    def __init__(self, settings: Oidc, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._settings = settings
        self._pause_seconds = pause_seconds
        self._keys: KeySet = {}
        self._had = self._asked = -float("inf")
        self._asking: asyncio.Task[None] | None = None
        _check_secrecy(settings.issuer)

    async def find(self, kid: str | None) -> jwt.PyJWK | None:
        """Return a key by its id."""
        now = time.monotonic()
        if kid not in self._keys or now - self._had > _KEPT_SECONDS:
            self._ask_unless_just_asked(now)
        if kid not in self._keys and self._asking is not None:
            # Whoever waits may leave; the others and the keys must not suffer from it.
            await asyncio.shield(self._asking)
        if not self._keys:
            raise _unavailable(self._settings.issuer)
        return self._keys.get(kid)

    def _ask_unless_just_asked(self, now: float) -> None:
        if self._asking is None and now - self._asked > self._pause_seconds:
            self._asked = now
            self._asking = asyncio.create_task(self._ask())

    async def _ask(self) -> None:
        try:
            self._keys = _key_set(await _fetch(self._settings))
            self._had = time.monotonic()
        except Exception as error:
            # Whatever an issuer answers, the tokens whose keys are there go on working.
            log_event("issuer-keys-not-had", issuer=self._settings.issuer, problem=f"{type(error).__name__}: {error}")
        finally:
            self._asking = None


async def _fetch(settings: Oidc) -> Any:
    """Ask the issuer where its keys are, and for them (OpenID Connect Discovery 1.0, section 4)."""
    import ssl

    import httpx  # Takes 0.1 s to load, and only this needs it.

    context = ssl.create_default_context(cafile=settings.ca_file)
    async with httpx.AsyncClient(timeout=_ATTEMPT_SECONDS, verify=context, trust_env=False) as client:
        address = f"{settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        found = (await client.get(address)).raise_for_status().json()
        if found["issuer"] != settings.issuer:
            raise ValueError(f"it calls itself {str(found['issuer'])[:200]!r}")
        _check_secrecy(found["jwks_uri"])
        return (await client.get(found["jwks_uri"])).raise_for_status().json()


def _key_set(document: Any) -> KeySet:
    """Return the usable keys of a JSON Web Key Set by id; one alone also answers for tokens without an id."""
    usable = [key for key in jwt.PyJWKSet.from_dict(document).keys if key.public_key_use in (None, "sig")]
    keys: dict[str | None, jwt.PyJWK] = {key.key_id: key for key in usable if key.key_id is not None}
    return keys | {None: usable[0]} if len(usable) == 1 else keys


def _keys_of_file(path: Path) -> KeySet:
    try:
        return _key_set(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, AttributeError, jwt.PyJWTError) as error:
        raise ConfigError(
            where=str(path),
            found=f"no JSON Web Key Set ({type(error).__name__}: {error})",
            reason="Tokens are checked with the public keys of their issuer",
            remedy="Put the document there that the issuer has at its jwks_uri",
        ) from error


def _check_secrecy(address: str) -> None:
    """Refuse to take keys over a network in clear: whoever changes them on the way could sign tokens."""
    parts = urlsplit(address)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        raise ConfigError(
            where="access > oidc > issuer",
            found=f"keys over {parts.scheme or 'no scheme'} from {parts.hostname}",
            reason="Somebody on the way could put keys of their own in their place",
            remedy="Use an https address, or give the keys as a file: access > oidc > jwks-file",
        )


def _unavailable(issuer: str) -> IssuerUnavailable:
    return IssuerUnavailable(
        where="token",
        found=f"the keys of {issuer} could not be had",
        reason="Without them no token can be checked",
        remedy="Try again in some seconds; the proxy's log says what the issuer answered",
    )

"""The files that say who may ask: read on this machine, checked, and mounted into the proxies as a Secret."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from components.certificate_problems import certificate_problems, pair_problems
from components.endpoint_settings import Endpoint
from components.errors import Problem
from components.site import Site

KEY_VARIABLE = "KUBEVC_KEY"
"""Environment variable with the key of the proving request."""
_KEY = re.compile(r"kubevc_[a-z0-9]{8}_[0-9A-Za-z]{20,}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class AccessFiles:
    """Name of each file in the proxies' folder to its text; no repr shows it."""

    texts: dict[str, str] = field(default_factory=dict[str, str], repr=False)


def named_files(endpoint: Endpoint) -> dict[str, Path]:
    """Return the files that the endpoint's settings name, by the names that they have in the proxies' folder."""
    access, tls = endpoint.access, endpoint.tls
    named = {
        "keys.yaml": access.keys_file,
        "jwks.json": access.oidc and access.oidc.jwks_file,
        "issuer-ca.crt": access.oidc and access.oidc.ca_file,
        "tls.crt": tls and tls.certificate_file,
        "tls.key": tls and tls.private_key_file,
        "client-ca.crt": tls and tls.client_ca_file,
    }
    return {name: path for name, path in named.items() if path is not None}


def read_access_files(endpoint: Endpoint) -> AccessFiles:
    """Read the files of an endpoint that has passed `access_problems`."""
    return AccessFiles({name: path.read_text() for name, path in named_files(endpoint).items()})


def access_problems(site: Site) -> list[Problem]:
    """Return what is missing or wrong among the files that the access to the endpoint is made of."""
    if missing := list(_missing(site)):
        return missing
    return [*_key_file_problems(site), *_issuer_problems(site), *_tls_problems(site), *_smoke_problems(site)]


def _places(site: Site) -> dict[str, Path | None]:
    access, tls, smoke = site.endpoint.access, site.endpoint.tls, site.smoke
    return {
        "endpoint > access > keys-file": access.keys_file,
        "endpoint > access > oidc > jwks-file": access.oidc and access.oidc.jwks_file,
        "endpoint > access > oidc > ca-file": access.oidc and access.oidc.ca_file,
        "endpoint > tls > certificate-file": tls and tls.certificate_file,
        "endpoint > tls > private-key-file": tls and tls.private_key_file,
        "endpoint > tls > client-ca-file": tls and tls.client_ca_file,
        "smoke > key-file": smoke.key_file,
        "smoke > client-certificate-file": smoke.client_certificate_file,
        "smoke > client-private-key-file": smoke.client_private_key_file,
    }


def _missing(site: Site) -> Iterator[Problem]:
    for where, path in _places(site).items():
        if path is not None and not os.access(path, os.R_OK):
            keys = "make key NAME=phone makes one" if where.endswith("keys-file") else "docs/access.md tells what it is"
            yield Problem(
                where=where,
                found=f"{path}, which does not exist or cannot be read",
                why="The endpoint would not know its clients, or they not the endpoint.",
                fix=f"Correct the path, or put the file there; {keys}.",
            )


def _key_file_problems(site: Site) -> Iterator[Problem]:
    path = site.endpoint.access.keys_file
    if path is None:
        return
    text = path.read_text()
    if _KEY.search(text):
        yield Problem(
            where="endpoint > access > keys-file",
            found=f"{path}, with an API key itself in it",
            why="Whoever reads the file, its copies or its history could use the key.",
            fix="Take the key out and make another: make key NAME=... writes only the hash.",
        )
    elif not _holds_entries(text):
        yield Problem(
            where="endpoint > access > keys-file",
            found=f"{path}, which is no list of keys",
            why="The proxies would not start with it.",
            fix="Write a line per key as make key NAME=... shows it, or {} for no key at all.",
        )


def _holds_entries(text: str) -> bool:
    """Say whether a text has the form of a file of keys; the proxy checks every value."""
    try:
        content: Any = yaml.safe_load(text)
    except yaml.YAMLError:
        return False
    if not isinstance(content, dict):
        return False
    return all(map(_holds_hash, cast(dict[Any, Any], content).values()))


def _holds_hash(entry: Any) -> bool:
    return isinstance(entry, dict) and bool(_SHA256.fullmatch(str(cast(dict[Any, Any], entry).get("sha256"))))


def _issuer_problems(site: Site) -> Iterator[Problem]:
    oidc = site.endpoint.access.oidc
    if oidc is None:
        return
    if oidc.ca_file is not None:
        yield from certificate_problems("endpoint > access > oidc > ca-file", oidc.ca_file)
    if oidc.jwks_file is not None and not _is_key_set(oidc.jwks_file.read_text()):
        yield Problem(
            where="endpoint > access > oidc > jwks-file",
            found=f"{oidc.jwks_file}, which is no JSON Web Key Set",
            why="Tokens are checked with the keys in it.",
            fix="Save what the issuer answers at the jwks_uri of its /.well-known/openid-configuration.",
        )


def _is_key_set(text: str) -> bool:
    try:
        return isinstance(json.loads(text)["keys"], list)
    except (ValueError, KeyError, TypeError):
        return False


def _tls_problems(site: Site) -> Iterator[Problem]:
    tls = site.endpoint.tls
    if tls is None:
        return
    yield from pair_problems("endpoint > tls > certificate-file", tls.certificate_file, tls.private_key_file)
    if tls.client_ca_file is not None:
        yield from certificate_problems("endpoint > tls > client-ca-file", tls.client_ca_file)


def _smoke_problems(site: Site) -> Iterator[Problem]:
    smoke, endpoint = site.smoke, site.endpoint
    if smoke.client_certificate_file is not None and smoke.client_private_key_file is not None:
        where = "smoke > client-certificate-file"
        yield from pair_problems(where, smoke.client_certificate_file, smoke.client_private_key_file)
        return
    asked = endpoint.access.keys_file is not None or endpoint.access.oidc is not None
    if asked and smoke.key_file is None and not os.environ.get(KEY_VARIABLE):
        yield Problem(
            where="smoke > key-file",
            found=f"nothing, and no environment variable {KEY_VARIABLE}",
            why="The endpoint answers only clients that it knows, and the proving request is one of them.",
            fix="Make a key for it (make key NAME=smoke), save the key in a file of your own, and name the file here.",
        )

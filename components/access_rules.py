"""Rules of the sections that say who may ask, one pure function each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from components.errors import Problem
from components.site import Site

_ORIGIN = re.compile(r"\*|https?://[^/\s]+")


def origins_are_origins(site: Site) -> Iterator[Problem]:
    """Refuse what a browser never sends as an origin: a path, a slash at the end, a name alone."""
    for position, origin in enumerate(site.endpoint.access.allowed_origins, start=1):
        if not _ORIGIN.fullmatch(origin):
            yield Problem(
                where=f"endpoint > access > allowed-origins > {position}",
                found=origin or "empty text",
                why="Browsers send scheme, host and port; nothing else would ever be equal to it.",
                fix="Write an origin such as https://app.example.org, without a slash at its end, or *.",
            )


def issuer_cannot_be_imitated(site: Site) -> Iterator[Problem]:
    """Refuse an issuer whose keys would come over the network in clear."""
    oidc = site.endpoint.access.oidc
    if oidc is None or urlsplit(oidc.issuer).scheme == "https":
        return
    if oidc.jwks_file is None or urlsplit(oidc.issuer).scheme != "http":
        yield Problem(
            where="endpoint > access > oidc > issuer",
            found=oidc.issuer or "empty text",
            why="Its keys tell true tokens from false ones; over http somebody on the way could put in their own.",
            fix="Write an address that starts with https://, or give the keys as jwks-file.",
        )


def smoke_certificate_has_its_key(site: Site) -> Iterator[Problem]:
    """Refuse half of a certificate for the proving request, or one that nobody asks for."""
    smoke, tls = site.smoke, site.endpoint.tls
    files = {
        "client-certificate-file": smoke.client_certificate_file,
        "client-private-key-file": smoke.client_private_key_file,
    }
    given = [name for name, path in files.items() if path is not None]
    missing = [name for name, path in files.items() if path is None]
    if given and missing:
        yield Problem(
            where=f"smoke > {missing[0]}",
            found=f"nothing, beside {given[0]}",
            why="A certificate is shown together with the proof of its private key.",
            fix=f"Add {missing[0]}, or remove {given[0]}.",
        )
    if given and (tls is None or tls.client_ca_file is None):
        yield Problem(
            where=f"smoke > {given[0]}",
            found="a certificate that the endpoint would not ask for",
            why="Clients are known by certificates only with endpoint > tls > client-ca-file.",
            fix="Add the authority there, or remove the certificate here.",
        )


def smoke_shows_a_certificate_where_one_is_required(site: Site) -> Iterator[Problem]:
    """Refuse a proving request that the endpoint would refuse."""
    tls = site.endpoint.tls
    required = tls is not None and tls.client_ca_file is not None and tls.client_certificates == "required"
    if required and site.smoke.client_certificate_file is None:
        yield Problem(
            where="smoke > client-certificate-file",
            found="nothing, and endpoint > tls requires client certificates",
            why="The proving request would be refused, and the site would never count as up.",
            fix="Add client-certificate-file and client-private-key-file, signed by an authority of client-ca-file.",
        )


ACCESS_RULES = (
    origins_are_origins,
    issuer_cannot_be_imitated,
    smoke_certificate_has_its_key,
    smoke_shows_a_certificate_where_one_is_required,
)
"""Every rule of this file, in the order of the site's file."""

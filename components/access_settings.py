"""The parts of a site that say who may ask its endpoint; `proxy/access/settings.py` has their counterparts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from components.part import Part, SitePath


class RateLimit(Part):
    """How often one client may ask; more is refused with status 429. Each proxy counts for itself."""

    requests_per_second: Annotated[int, Field(ge=1, le=1_000_000)]
    """Requests per second in the long run."""
    burst_requests: Annotated[int, Field(ge=1, le=1_000_000)] = 10
    """Requests at once, after a pause."""


class Oidc(Part):
    """Tokens of an OpenID Connect issuer as identification."""

    issuer: str
    """Address of the issuer, as its tokens spell it."""
    audience: Annotated[str, Field(min_length=1)]
    """Audience that the tokens must be meant for."""
    jwks_file: SitePath | None = None
    """Public keys of the issuer (JSON Web Key Set). Empty means that the proxy asks the issuer for them."""
    ca_file: SitePath | None = None
    """Authorities that have signed the issuer's certificate (PEM). Empty means the well-known ones."""
    client_claim: Annotated[str, Field(min_length=1)] = "sub"
    """Claim that names the client in logs."""


class Access(Part):
    """Who may ask. Without keys, tokens and client certificates everybody may."""

    keys_file: SitePath | None = None
    """File with the hashes of API keys; `make key NAME=phone` makes a key. A change reaches the proxies within two
    minutes of `make up`, without a restart."""
    open_metrics: bool = True
    """Whether `/metrics` is answered without a key."""
    rate_limit: RateLimit | None = None
    """Limit of each client that has none of its own in the file of keys. Empty means none."""
    oidc: Oidc | None = None
    """Tokens of an issuer. Empty means none."""
    allowed_origins: tuple[str, ...] = ()
    """Origins whose pages may ask from a browser (CORS), such as `https://app.example.org`; `*` means all."""


class Tls(Part):
    """HTTPS. Changed files reach the proxies within two minutes of `make up`, without a restart."""

    certificate_file: SitePath
    """Certificate of the endpoint and the intermediate ones after it (PEM)."""
    private_key_file: SitePath
    """Its private key (PEM, without a password). Only encrypted in the state."""
    client_ca_file: SitePath | None = None
    """Authorities whose certificates clients are known by (PEM). Empty means that no certificate is asked for."""
    client_certificates: Literal["required", "optional"] = "required"
    """`required`: a request without a certificate is refused; `optional`: an API key or a token will do as well."""

"""The settings of access: keys, tokens, limits per client, certificates, other origins, patience with connections."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from proxy.document import Document

KIBIBYTE = 1024

Origin = Annotated[str, Field(pattern=r"^(\*|https?://[^/\s]+)$")]


class RateLimit(Document):
    """Bound how often a client may ask: a bucket of `burst-requests`, filled again by `requests-per-second`."""

    requests_per_second: float = Field(gt=0, le=1_000_000)
    burst_requests: int = Field(default=10, ge=1, le=1_000_000)

    @property
    def full_again_seconds(self) -> int:
        """Return after how long an emptied bucket is full."""
        return math.ceil(self.burst_requests / self.requests_per_second)


class Oidc(Document):
    """Accept tokens that an issuer of OpenID Connect has signed."""

    issuer: str = Field(pattern=r"^https?://\S+$")
    """Its address, as its tokens spell it."""
    audience: str = Field(min_length=1)
    """What a token must be meant for (its claim aud)."""
    jwks_file: Path | None = None
    """The issuer's public keys as a file; without it they are asked from the issuer."""
    ca_file: Path | None = None
    """Certificates that the issuer's own one is checked with; without it, those of the system."""
    client_claim: str = Field(default="sub", min_length=1)
    """The claim that names the client."""
    leeway_seconds: float = Field(default=30, ge=0, le=300)
    """How far the issuer's clock may be from this one's."""
    algorithms: tuple[Literal["RS256", "ES256"], ...] = Field(default=("RS256", "ES256"), min_length=1)


class Cors(Document):
    """Let pages of other origins ask."""

    allowed_origins: tuple[Origin, ...] = ()
    """Origins such as https://app.example.org; `*` is every origin; none is no other origin."""
    max_age_seconds: int = Field(default=600, ge=0, le=86400)
    """How long a browser may remember the answer to its question in advance."""


class Access(Document):
    """Say who may ask. Without keys, tokens and client certificates everybody may."""

    keys_file: Path | None = None
    """The hashes of API keys (`python -m proxy.access.new_key`)."""
    open_metrics: bool = True
    """Whether GET /metrics needs no key."""
    rate_limit: RateLimit | None = None
    """The limit of each client without one of its own; of each address where there are no clients' names."""
    oidc: Oidc | None = None
    cors: Cors = Cors()

    def anchored(self, folder: Path) -> Access:
        """Return these settings with paths relative to `folder`."""
        oidc = self.oidc and anchored(self.oidc, folder)
        return anchored(self, folder).model_copy(update={"oidc": oidc})


class Tls(Document):
    """Speak HTTPS."""

    certificate_file: Path
    """The certificate, with the intermediate ones after it (PEM)."""
    private_key_file: Path
    """Its key (PEM, without a password)."""
    client_ca_file: Path | None = None
    """Authorities whose certificates clients are known by (PEM)."""
    client_certificates: Literal["required", "optional"] = "required"
    """`required`: a request without a certificate is refused, whatever else it has; `optional`: a key or a token
    will do as well. Either needs client-ca-file."""

    def anchored(self, folder: Path) -> Tls:
        """Return these settings with paths relative to `folder`."""
        return anchored(self, folder)

    @property
    def paths(self) -> tuple[Path, ...]:
        """Return the files that these settings name."""
        files = (self.certificate_file, self.private_key_file, self.client_ca_file)
        return tuple(path for path in files if path is not None)


class Connections(Document):
    """Bound what a connection may take before and after its requests."""

    max_connections: int = Field(default=1000, ge=1, le=65535)
    """Connections at once; for one more, the one that has been idle for longest is closed."""
    head_seconds: float = Field(default=10, gt=0, le=600)
    """How long the head of a request may take, and the rest of a body after an early answer."""
    idle_seconds: float = Field(default=75, gt=0, le=3600)
    """How long a connection may wait for its next request."""
    stalled_seconds: float = Field(default=30, gt=0, le=600)
    """How long a client may take no byte of an answer."""
    max_head_kib: int = Field(default=32, ge=1, le=1024)
    """Request line and headers together."""
    max_headers: int = Field(default=100, ge=8, le=1000)

    @property
    def max_head_bytes(self) -> int:
        """Return the largest head, in bytes."""
        return self.max_head_kib * KIBIBYTE


def anchored(section: Any, folder: Path) -> Any:
    """Return a section whose relative paths begin at `folder`."""
    paths = {name: folder / value for name, value in section if isinstance(value, Path)}
    return section.model_copy(update=paths)

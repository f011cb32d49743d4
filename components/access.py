"""Access as the proxies have it: a Secret mounted as files, and the sections of their configuration that name them.

The proxies read changed files again by themselves. So nothing here reaches the hash over their configuration, and new
keys or certificates restart no pod.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import pulumi
from pulumi_kubernetes.core.v1 import Secret

from components.access_files import AccessFiles, named_files
from components.access_settings import Access, Oidc, Tls
from components.endpoint_settings import Endpoint

ACCESS_FOLDER = "/etc/proxy-access"
_VOLUME = "access"


@dataclass(frozen=True, kw_only=True)
class MountedAccess:
    """What a proxy's pod needs for it."""

    volumes: list[dict[str, Any]]
    """Volumes of the pod."""
    mounts: list[dict[str, Any]]
    """Mounts of its container."""
    needs: list[pulumi.Resource]
    """What must be there before the pod."""


def mount_access(name: str, metadata: Any, files: AccessFiles, options: pulumi.ResourceOptions) -> MountedAccess:
    """Make the Secret of an endpoint and return how it is mounted; nothing for an endpoint without such files."""
    if not files.texts:
        return MountedAccess(volumes=[], mounts=[], needs=[])
    own: Any = {**metadata, "name": f"{metadata['name']}-access"}
    # `data` and not `stringData`: the cluster keeps only the former, and the other would differ for ever.
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in files.texts.items()}
    secret = Secret(
        f"{name}-access",
        metadata=own,
        type="Opaque",
        data=pulumi.Output.secret(encoded),
        opts=options,
    )
    return MountedAccess(
        volumes=[{"name": _VOLUME, "secret": {"secretName": own["name"]}}],
        mounts=[{"name": _VOLUME, "mountPath": ACCESS_FOLDER, "readOnly": True}],
        needs=[secret],
    )


def access_config(endpoint: Endpoint) -> dict[str, Any]:
    """Return the sections `access` and `tls` of the proxy's configuration, as far as they say anything."""
    config: dict[str, Any] = {}
    names = named_files(endpoint).keys()
    if endpoint.access != Access():
        config["access"] = _access_section(endpoint.access)
    if endpoint.tls is not None:
        config["tls"] = _tls_section(endpoint.tls, with_clients="client-ca.crt" in names)
    return config


def scheme(endpoint: Endpoint) -> Literal["https", "http"]:
    """Return what the endpoint speaks."""
    return "http" if endpoint.tls is None else "https"


def issuer_egress(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Return the rules of a NetworkPolicy by which the proxies reach the issuer whose keys they ask for.

    Policies know addresses and no names, so its port is open towards every address.
    """
    oidc = endpoint.access.oidc
    if oidc is None or oidc.jwks_file is not None:
        return []
    return [{"ports": [{"protocol": "TCP", "port": urlsplit(oidc.issuer).port or 443}]}]


def _access_section(access: Access) -> dict[str, Any]:
    section: dict[str, Any] = {"open-metrics": access.open_metrics}
    if access.keys_file is not None:
        section["keys-file"] = f"{ACCESS_FOLDER}/keys.yaml"
    if access.rate_limit is not None:
        section["rate-limit"] = access.rate_limit.model_dump(by_alias=True)
    if access.oidc is not None:
        section["oidc"] = _oidc_section(access.oidc)
    if access.allowed_origins:
        section["cors"] = {"allowed-origins": list(access.allowed_origins)}
    return section


def _oidc_section(oidc: Oidc) -> dict[str, Any]:
    section = {"issuer": oidc.issuer, "audience": oidc.audience, "client-claim": oidc.client_claim}
    if oidc.jwks_file is not None:
        section["jwks-file"] = f"{ACCESS_FOLDER}/jwks.json"
    if oidc.ca_file is not None:
        section["ca-file"] = f"{ACCESS_FOLDER}/issuer-ca.crt"
    return section


def _tls_section(tls: Tls, *, with_clients: bool) -> dict[str, Any]:
    section = {"certificate-file": f"{ACCESS_FOLDER}/tls.crt", "private-key-file": f"{ACCESS_FOLDER}/tls.key"}
    if with_clients:
        section["client-ca-file"] = f"{ACCESS_FOLDER}/client-ca.crt"
        section["client-certificates"] = tls.client_certificates
    return section

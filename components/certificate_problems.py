"""What is wrong with a certificate and its key on this machine, before a client sees it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509

from components.errors import Problem


def pair_problems(where: str, certificate: Path, private_key: Path) -> Iterator[Problem]:
    """Yield what keeps two files from being a certificate that is valid now and its private key."""
    yield from certificate_problems(where, certificate)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, private_key, lambda: "")
    except (OSError, ValueError) as error:
        words = getattr(error, "reason", None) or type(error).__name__
        yield Problem(
            where=where,
            found=f"{certificate} and {private_key}, which are no pair ({words})",
            why="The proxy could not prove that the certificate is its own, and would not start.",
            fix="Name a certificate and the private key that it was made for, both PEM, the key without a password.",
        )


def certificate_problems(where: str, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with the first certificate of a file."""
    try:
        certificate = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except ValueError:
        yield Problem(
            where=where,
            found=f"{path}, which holds no certificate",
            why="Whoever connects would have nothing to check.",
            fix="Name a PEM file: its certificates begin with -----BEGIN CERTIFICATE-----.",
        )
        return
    now = datetime.now(UTC)
    if now > certificate.not_valid_after_utc or now < certificate.not_valid_before_utc:
        begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        yield Problem(
            where=where,
            found=f"{path}, valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}, and today is {now:%Y-%m-%d}",
            why="No client that checks certificates would connect.",
            fix="Have it renewed, or look at this machine's clock.",
        )

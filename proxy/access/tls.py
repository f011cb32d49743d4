"""TLS: the context of the listening socket, which takes up new certificates without closing a connection.

Every handshake passes the callback for server names, also without such a name. There the files are looked at (at most
once a second); when they have changed, this handshake and all later ones get a new context. A context is made wholly
before it is used, so certificate, key and authorities never mix, and one that cannot be made leaves the old in place.
"""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

from proxy.access.settings import Tls
from proxy.access.watched_files import WatchedFiles
from proxy.errors import ConfigError
from proxy.telemetry.logs import log_event

CERTIFICATE_NAME = "client_certificate_name"
"""Key of a connection's state under which stands whom its client's certificate names."""
_NAME_LENGTH = 128


def ssl_context(settings: Tls, pause_seconds: float = 1.0) -> ssl.SSLContext:
    """Return the context that a server listens with.

    With client certificates TLS 1.3 is the oldest version, and sessions are not resumed: before 1.3 a client's
    certificate goes over the network in clear, and a resumed session would outlive the removal of its authority.

    Raises:
        ConfigError: The files cannot be used.
    """
    return _Renewed(settings, pause_seconds).first


class _Renewed:
    """Keep the context of the files as they are now."""

    def __init__(self, settings: Tls, pause_seconds: float) -> None:
        self._settings = settings
        self._watched = WatchedFiles(settings.paths, pause_seconds)
        self.first = self._current = _context(settings)
        self.first.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        del name, context
        if self._watched.changed():
            self._renew()
        if self._current is not self.first:
            connection.context = self._current

    def _renew(self) -> None:
        try:
            self._current = _context(self._settings)
        except ConfigError as error:
            log_event("certificate-not-read", problem=error.message)
        else:
            log_event("certificate-read", file=str(self._settings.certificate_file))


def _context(settings: Tls) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["http/1.1"])
    _load_certificate(context, settings)
    if settings.client_ca_file is not None:
        _ask_for_certificates(context, settings.client_ca_file)
    return context


def _load_certificate(context: ssl.SSLContext, settings: Tls) -> None:
    try:
        context.load_cert_chain(settings.certificate_file, settings.private_key_file, _no_password)
    except (OSError, ValueError) as error:
        raise ConfigError(
            where=f"tls > {settings.certificate_file} and {settings.private_key_file}",
            found=f"no certificate with its private key ({_words(error)})",
            reason="Nobody could be sure to speak to this endpoint",
            remedy="Name PEM files that belong together, readable for the proxy's user, the key without a password",
        ) from error


def _ask_for_certificates(context: ssl.SSLContext, authorities: Path) -> None:
    """Ask clients for a certificate; whether they must have one is decided per request, see `Gate`.

    A refusal in the handshake would shut out the probes of Kubernetes, which have no certificate.
    """
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.num_tickets = 0
    context.verify_mode = ssl.CERT_OPTIONAL
    try:
        context.load_verify_locations(authorities)
    except (OSError, ValueError) as error:
        raise ConfigError(
            where=f"tls > {authorities}",
            found=f"no certificates of authorities ({_words(error)})",
            reason="Clients are known by certificates that these have signed",
            remedy="Name a PEM file with one certificate or more",
        ) from error


def _no_password() -> str:
    # Without this, OpenSSL would ask on the terminal.
    return ""


def _words(error: Exception) -> str:
    return getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__


def certificate_name(certificate: Any) -> str | None:
    """Return whom a client's verified certificate names: its common name, or else its first alternative name.

    Args:
        certificate: As `ssl.SSLSocket.getpeercert` returns it; empty or None for none.
    """
    if not certificate:
        return None
    subject = (pair for names in certificate.get("subject", ()) for pair in names)
    common = next((value for kind, value in subject if kind == "commonName"), None)
    name = common or next((value for _, value in certificate.get("subjectAltName", ())), "unnamed")
    return name[:_NAME_LENGTH]

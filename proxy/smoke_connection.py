"""The smoke request's connection: how it knows the endpoint, and how it makes itself known.

The endpoint is known by its very certificate, which the operator has as a file: names and authorities do not matter,
because a node is asked by its address and a site may have signed its certificate itself.
"""

from __future__ import annotations

import os
import ssl
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from proxy.errors import SmokeFailed

KEY_VARIABLE = "KUBEVC_KEY"
_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """Hold the files that identify both sides.

    Attributes:
        certificate: The endpoint's certificate; None trusts the authorities of the system.
        key_file: An API key or token; None asks the environment variable KUBEVC_KEY.
        client_certificate: The certificate to show.
        client_private_key: Its private key.
    """

    certificate: Path | None = None
    key_file: Path | None = None
    client_certificate: Path | None = None
    client_private_key: Path | None = None

    def headers(self) -> dict[str, str]:
        """Return the headers that show the key.

        Raises:
            SmokeFailed: Its file cannot be read.
        """
        key = _read(self.key_file).strip() if self.key_file is not None else os.environ.get(KEY_VARIABLE)
        return {"Authorization": f"Bearer {key}"} if key else {}

    def opener(self) -> urllib.request.OpenerDirector:
        """Return what sends requests.

        Raises:
            SmokeFailed: A certificate cannot be used.
        """
        # The operator's own HTTP proxy knows nothing of the site's addresses.
        direct = urllib.request.ProxyHandler({})
        secure = urllib.request.HTTPSHandler(context=self._context())
        return urllib.request.build_opener(direct, secure, _NoRedirects)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        try:
            if self.certificate is not None:
                context = _trusting(_read(self.certificate))
            if self.client_certificate is not None:
                context.load_cert_chain(self.client_certificate, self.client_private_key, lambda: "")
        except (OSError, ValueError) as error:
            raise SmokeFailed(
                where=f"{self.certificate or self.client_certificate}",
                found=f"a certificate that cannot be used ({getattr(error, 'reason', error)})",
                reason="Endpoint and sender know each other by certificates",
                remedy="Name PEM files, the private key without a password",
            ) from error
        return context


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follow no redirect: the key is for the endpoint alone."""

    def redirect_request(self, *args: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return no request, so that the status becomes an error."""
        del args


def _trusting(text: str) -> ssl.SSLContext:
    """Return a context that takes the first certificate of a file and no other one.

    The rest of the file are authorities; taking them as well would let in everybody whose certificate they signed.
    """
    begin, end = text.find(_BEGIN), text.find(_END)
    if begin < 0 or end < begin:
        raise ValueError("no certificate in it")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(cadata=text[begin : end + len(_END)])
    return context


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SmokeFailed(
            where=str(path),
            found=f"it cannot be read ({type(error).__name__})",
            reason="Without it, the endpoint and the sender of the smoke request do not know each other",
            remedy="Name another file, or make it readable",
        ) from error

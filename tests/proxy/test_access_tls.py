"""TLS and client certificates: what is accepted, and how certificates change while connections last."""

from __future__ import annotations

import contextlib
import logging
import shutil
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import httpx
import pytest

from proxy.access.keys import new_key
from proxy.access.settings import Access, Tls
from proxy.access.tls import ssl_context
from proxy.errors import ConfigError
from tests.proxy.access_server import AccessServer, Issued, access_server, client_context, issue
from tests.proxy.test_access_keys import bearer, write_keys


def tls(server: Issued, ca: Issued | None = None, certificates: Literal["required", "optional"] = "required") -> Tls:
    """Return the settings for a certificate."""
    authority = ca.certificate_file if ca is not None else None
    return Tls(
        certificate_file=server.certificate_file,
        private_key_file=server.key_file,
        client_ca_file=authority,
        client_certificates=certificates,
    )


@contextlib.contextmanager
def client_of(server: AccessServer, context: ssl.SSLContext) -> Iterator[httpx.Client]:
    """Return a client of a server."""
    with httpx.Client(base_url=f"https://localhost:{server.port}", verify=context, trust_env=False) as client:
        yield client


def shown_serial(server: AccessServer) -> int:
    """Return the serial number of the certificate that a new connection is shown."""
    from cryptography import x509

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(server.address, timeout=5) as plain, context.wrap_socket(plain) as secure:
        shown = secure.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def test_a_certificate_changes_without_closing_a_connection(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "proxy")
    first, second = issue(tmp_path, "first"), issue(tmp_path, "second")
    with access_server(tls=tls(first)) as server:
        assert shown_serial(server) == first.certificate.serial_number
        with client_of(server, client_context(first)) as lasting:
            assert lasting.post("/v1/models/a:predict").status_code == 200
            # Half of a change, then all of it.
            shutil.copy(second.certificate_file, first.certificate_file)
            assert shown_serial(server) == first.certificate.serial_number
            shutil.copy(second.key_file, first.key_file)
            assert shown_serial(server) == second.certificate.serial_number
            answer = lasting.post("/v1/models/a:predict")
            assert answer.status_code == 200
            stream = answer.extensions["network_stream"].get_extra_info("ssl_object")
            assert stream.getpeercert()["serialNumber"] == f"{first.certificate.serial_number:X}".zfill(40)[-40:]
    assert [record.message for record in caplog.records] == ["certificate-not-read", "certificate-read"]


@pytest.mark.parametrize(("version", "accepted"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_versions(tmp_path: Path, version: str, accepted: bool) -> None:
    certificate = issue(tmp_path, "server")
    context = client_context(certificate)
    context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    context.set_ciphers("ALL:@SECLEVEL=0")
    outcome = contextlib.nullcontext() if accepted else pytest.raises(httpx.ConnectError)
    with access_server(tls=tls(certificate)) as server, client_of(server, context) as client, outcome:
        assert client.post("/v1/models/a:predict").status_code == 200


def test_a_certificate_names_a_client(tmp_path: Path) -> None:
    authority, stranger = issue(tmp_path, "ca", authority=True), issue(tmp_path, "stranger", authority=True)
    certificate = issue(tmp_path, "server")
    phone, forged = issue(tmp_path, "phone", by=authority), issue(tmp_path, "phone", by=stranger, file="forged")
    old = issue(tmp_path, "old", by=authority, days=-1)
    with access_server(tls=tls(certificate, authority)) as server:
        with client_of(server, client_context(certificate, phone)) as client:
            assert client.post("/v1/models/a:predict").json() == {"client": "phone", "label": "certificate"}
        with client_of(server, client_context(certificate)) as client:
            refusal = client.post("/v1/models/a:predict")
            assert (refusal.status_code, refusal.json()["code"]) == (401, "unauthenticated")
        for other in (forged, old):
            with client_of(server, client_context(certificate, other)) as client, pytest.raises(httpx.TransportError):
                client.post("/v1/models/a:predict")


@pytest.mark.parametrize(("certificates", "with_key_alone"), [("required", 401), ("optional", 200)])
def test_certificates_beside_keys(
    tmp_path: Path, certificates: Literal["required", "optional"], with_key_alone: int
) -> None:
    authority, certificate = issue(tmp_path, "ca", authority=True), issue(tmp_path, "server")
    phone, key = issue(tmp_path, "phone", by=authority), new_key().text
    write_keys(tmp_path / "keys.yaml", (key, "camera", "models: [detector]"))
    access = Access(keys_file=tmp_path / "keys.yaml")
    with access_server(access, tls(certificate, authority, certificates)) as server:
        with client_of(server, client_context(certificate)) as client:
            assert client.post("/v1/models/detector:predict", headers=bearer(key)).status_code == with_key_alone
            assert client.post("/v1/models/detector:predict").status_code == 401
        with client_of(server, client_context(certificate, phone)) as client:
            assert client.post("/v1/models/detector:predict", headers=bearer(key)).json()["client"] == "camera"
            assert client.post("/v1/models/detector:predict").json()["client"] == "phone"


def test_an_authority_that_was_removed_is_forgotten(tmp_path: Path) -> None:
    authority, other = issue(tmp_path, "ca", authority=True), issue(tmp_path, "other", authority=True)
    certificate, phone = issue(tmp_path, "server"), issue(tmp_path, "phone", by=authority)
    camera = issue(tmp_path, "camera", by=other)
    contexts = [client_context(certificate, client) for client in (phone, camera)]

    def outcomes(server: AccessServer) -> list[int | None]:
        """Return what each client is answered, or None for one that is not let in."""
        results: list[int | None] = []
        for context in contexts:
            with client_of(server, context) as client:
                try:
                    results.append(client.post("/v1/models/a:predict").status_code)
                except httpx.TransportError:
                    results.append(None)
        return results

    with access_server(tls=tls(certificate, authority)) as server:
        assert outcomes(server) == [200, None]
        shutil.copy(other.certificate_file, authority.certificate_file)
        assert outcomes(server) == [None, 200]


def test_a_client_gets_no_session_that_would_outlive_its_authority(tmp_path: Path) -> None:
    authority, certificate = issue(tmp_path, "ca", authority=True), issue(tmp_path, "server")
    context = client_context(certificate, issue(tmp_path, "phone", by=authority))
    tickets: list[bool] = []
    for settings in (tls(certificate), tls(certificate, authority)):
        with (
            access_server(tls=settings) as server,
            socket.create_connection(server.address, timeout=5) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            secure.sendall(b"GET /none HTTP/1.1\r\nhost: x\r\n\r\n")
            assert secure.recv(100).startswith(b"HTTP/1.1 404")
            tickets.append(secure.session is not None and secure.session.has_ticket)
    assert tickets == [True, False]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("server.crt", "", "no certificate with its private key"),
        ("server.key", None, "no certificate with its private key (No such file or directory)"),
        ("server.key", "other", "no certificate with its private key (KEY_VALUES_MISMATCH)"),
        ("ca.crt", "no certificate", "no certificates of authorities"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, name: str, content: str | None, found: str) -> None:
    settings = tls(issue(tmp_path, "server"), issue(tmp_path, "ca", authority=True))
    if content is None:
        (tmp_path / name).unlink()
    else:
        other = issue(tmp_path, "other").key_file.read_text()
        (tmp_path / name).write_text(other if content == "other" else content)
    with pytest.raises(ConfigError) as refusal:
        ssl_context(settings)
    assert refusal.value.found.startswith(found)


def test_a_key_with_a_password_is_refused_instead_of_asked_for(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    server = issue(tmp_path, "server")
    protected = serialization.BestAvailableEncryption(b"word")
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protected)
    server.key_file.write_bytes(server.key.private_bytes(*form))
    with pytest.raises(ConfigError):
        ssl_context(tls(server))

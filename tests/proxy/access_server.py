"""A server that admits clients as the proxy does, on loopback, and certificates for it."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from proxy.access.cors import with_cors
from proxy.access.gate import Gate
from proxy.access.guarded_connection import guarded_connection
from proxy.access.settings import Access, Connections, Tls
from proxy.access.tls import ssl_context
from proxy.errors import ProxyError
from proxy.outputs.error_form import error_answer


@dataclass
class AccessServer:
    """Hold a running server: its port, and what its connections refused."""

    port: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def address(self) -> tuple[str, int]:
        """Return where to connect."""
        return ("127.0.0.1", self.port)


@contextmanager
def access_server(
    access: Access | None = None, tls: Tls | None = None, connections: Connections | None = None
) -> Iterator[AccessServer]:
    """Serve `/v1/models/{model}:predict`, `/large` (64 MiB) and `/held` (no answer), until the block ends."""
    access = access or Access()
    running = AccessServer()
    http = guarded_connection(connections or Connections(), lambda error, _: running.refused.append(error.code))
    config = uvicorn.Config(
        with_cors(_app(Gate(access, tls)), access.cors),
        host="127.0.0.1",
        port=0,
        loop="uvloop",
        http=http,
        ws="websockets-sansio",
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        ssl_context_factory=None if tls is None else lambda *_: ssl_context(tls, 0.0),
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 10
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        running.port = server.servers[0].sockets[0].getsockname()[1]
        yield running
    finally:
        server.should_exit = True
        thread.join(timeout=15)
    assert not thread.is_alive()


def _app(gate: Gate) -> Starlette:
    async def predict(request: Request) -> Response:
        try:
            client = await gate.admit(request)
            client.check_model(request.path_params["model"])
        except ProxyError as error:
            retry = error.retry_after_seconds
            headers = {**error.headers, **({} if retry is None else {"retry-after": str(retry)})}
            return Response(error_answer(error, "id"), error.status, headers, "application/json")
        return JSONResponse({"client": client.name, "label": client.label}, headers=dict(client.headers))

    async def large(request: Request) -> Response:
        del request
        return Response(bytes(64 * 2**20))

    async def held(request: Request) -> Response:
        await request.body()
        while (await request.receive())["type"] != "http.disconnect":
            pass
        return Response()

    paths = {"/v1/models/{model}:predict": predict, "/large": large, "/held": held}
    return Starlette(routes=[Route(path, answer, methods=["GET", "POST"]) for path, answer in paths.items()])


@dataclass(frozen=True)
class Issued:
    """Hold a certificate and its key, as objects and as files."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    certificate_file: Path
    key_file: Path


def issue(
    folder: Path,
    name: str,
    *,
    by: Issued | None = None,
    authority: bool = False,
    days: float = 1,
    file: str = "",
    address: str = "127.0.0.1",
) -> Issued:
    """Write a certificate for a name, `localhost` and an address, and its key; an authority signs it, or it itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    places = [x509.DNSName("localhost"), x509.IPAddress(ip_address(address))]
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(places), critical=False)
    )
    certificate = builder.sign(by.key if by else key, hashes.SHA256())
    files = (folder / f"{file or name}.crt", folder / f"{file or name}.key")
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Issued(certificate, key, *files)


def client_context(server: Issued, client: Issued | None = None) -> ssl.SSLContext:
    """Return a client's context that trusts one certificate and may show one."""
    context = ssl.create_default_context(cafile=str(server.certificate_file))
    if client is not None:
        context.load_cert_chain(client.certificate_file, client.key_file)
    return context

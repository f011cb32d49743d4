"""An issuer of OpenID Connect on loopback, with keys of its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "kubevc"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def signing_key(kid: str, algorithm: str) -> PrivateKey:
    """Make a key, once for all tests."""
    del kid
    if algorithm == "ES256":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Issuer:
    """Hold what the issuer tells: its keys, and how often it was asked for them."""

    def __init__(self) -> None:
        self.keys: dict[str, str] = {"one": "RS256"}
        self.address = ""
        self.asked = 0
        self.fails = False

    def key_set(self) -> dict[str, Any]:
        """Return the JSON Web Key Set."""
        return {"keys": [_public(kid, algorithm) for kid, algorithm in self.keys.items()]}

    def token(self, kid: str = "one", algorithm: str = "RS256", **claims: Any) -> str:
        """Sign a token; claims of None are left out."""
        content = {
            "iss": self.address,
            "aud": AUDIENCE,
            "exp": time.time() + 60,
            "sub": "phone",
            **claims,
        }
        content = {name: value for name, value in content.items() if value is not None}
        return jwt.encode(content, signing_key(kid, algorithm), algorithm, headers={"kid": kid})


def _public(kid: str, algorithm: str) -> dict[str, Any]:
    key = signing_key(kid, algorithm).public_key()
    kind = ECAlgorithm if algorithm == "ES256" else RSAAlgorithm
    return {**kind.to_jwk(key, as_dict=True), "kid": kid, "alg": algorithm, "use": "sig"}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Run an issuer on a free port."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += self.path == "/keys"
            if self.path == "/keys":
                document = issuer.key_set()
            else:
                document = {"issuer": issuer.address, "jwks_uri": f"{issuer.address}/keys"}
            self.send_response(500 if issuer.fails else 200)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        issuer.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()

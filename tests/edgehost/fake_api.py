"""A Kubernetes API with nothing but ConfigMaps, over HTTPS: as much as the Kubernetes plugin asks for."""

import base64
import json
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from tests.proxy.access_server import Issued, issue

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]
DISCOVERY: dict[str, Any] = {
    "/version": {"major": "1", "minor": "26", "gitVersion": "v1.26.2", "platform": "linux/amd64"},
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {
        "kind": "APIResourceList",
        "groupVersion": "v1",
        "resources": [{"name": "configmaps", "kind": "ConfigMap", "namespaced": True, "verbs": VERBS}],
    },
}


@dataclass
class FakeApi:
    """Hold the objects of a cluster.

    Attributes:
        address: What its certificate is for; clients come by another way.
        issued: Its certificate, which clients must be told to trust.
        port: Where it listens on loopback.
        objects: Name to each ConfigMap.
        requests: What was asked, in order.
    """

    address: str
    issued: Issued
    port: int = 0
    objects: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    requests: list[str] = field(default_factory=list[str])

    def kubeconfig(self, entrance: str) -> str:
        """Return a kubeconfig that connects to an entrance and expects the certificate of the address."""
        authority = base64.b64encode(self.issued.certificate_file.read_bytes()).decode()
        cluster = {
            "server": f"https://{entrance}",
            "tls-server-name": self.address,
            "certificate-authority-data": authority,
        }
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "it", "cluster": cluster}],
                "users": [{"name": "it", "user": {"token": "a-token"}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "current-context": "it",
            }
        )

    def applied(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        """Return the object that an apply makes."""
        before = self.objects.get(name, {}).get("metadata", {})
        added = {
            "name": name,
            "namespace": "default",
            "uid": before.get("uid", str(uuid.uuid4())),
            "resourceVersion": str(int(before.get("resourceVersion", "0")) + 1),
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        return {**given, "metadata": {**given.get("metadata", {}), **added}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: FakeApi

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        self.api.requests.append(f"GET {self.path}")
        name = path.removeprefix(f"{CONFIG_MAPS}/")
        if path == "/openapi/v2":
            # An empty document is a valid one.
            self._send(200, b"", "application/octet-stream")
        elif path in DISCOVERY:
            self._answer(200, DISCOVERY[path])
        elif path == CONFIG_MAPS and "watch" not in query:
            items = list(self.api.objects.values())
            self._answer(200, {"kind": "ConfigMapList", "apiVersion": "v1", "metadata": {}, "items": items})
        elif name in self.api.objects:
            self._answer(200, self.api.objects[name])
        else:
            self._missing()

    def do_PATCH(self) -> None:
        path, _, query = self.path.partition("?")
        self.api.requests.append(f"PATCH {self.path}")
        name = path.removeprefix(f"{CONFIG_MAPS}/")
        given = yaml.safe_load(self.rfile.read(int(self.headers["Content-Length"])))
        applied = self.api.applied(name, given)
        if "dryRun=All" not in query:
            self.api.objects[name] = applied
        self._answer(200, applied)

    def do_DELETE(self) -> None:
        path, _, _ = self.path.partition("?")
        self.api.requests.append(f"DELETE {self.path}")
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        gone = self.api.objects.pop(path.removeprefix(f"{CONFIG_MAPS}/"), None)
        if gone is None:
            self._missing()
        else:
            self._answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _missing(self) -> None:
        self._answer(
            404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
        )

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        self._send(status, json.dumps(content).encode(), "application/json")

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def fake_api(folder: Path, address: str) -> Iterator[FakeApi]:
    """Serve an API on loopback whose certificate is for another address."""
    api = FakeApi(address, issue(folder, f"api-{address}", address=address))
    handler = type("Handler", (_Handler,), {"api": api})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(api.issued.certificate_file, api.issued.key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    api.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

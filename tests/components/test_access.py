"""Who may ask a site's endpoint: what is registered for it, what stays secret, and what the proxy reads of it."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.errors import SiteFileError
from components.load import LoadedSite
from proxy.access.key_file import read_entries
from proxy.access.settings import Access, Tls
from tests.components.certificates import write_pair
from tests.components.recording import SECRET, Graph, record

HASH = "5f" * 32
CACHE = "${KUBEVC_CACHE}"


@pytest.fixture
def guarded(machine: Path, site_data: dict[str, Any]) -> dict[str, Any]:
    """Return a site with everything that access can be made of."""
    for name in ("server", "ca", "phone"):
        write_pair(machine, name)
    (machine / "keys.yaml").write_text(f"abcdefgh: {{name: phone, sha256: {HASH}}}\n")
    (machine / "jwks.json").write_text('{"keys": []}')
    (machine / "smoke-key").write_text("kubevc_a_very_private_key")
    oidc = {"issuer": "https://issuer.example.org:8443/", "audience": "kubevc", "jwks-file": f"{CACHE}/jwks.json"}
    site_data["endpoint"] = {
        "access": {
            "keys-file": f"{CACHE}/keys.yaml",
            "open-metrics": False,
            "rate-limit": {"requests-per-second": 5},
            "oidc": oidc,
            "allowed-origins": ["https://app.example.org"],
        },
        "tls": {
            "certificate-file": f"{CACHE}/server.crt",
            "private-key-file": f"{CACHE}/server.key",
            "client-ca-file": f"{CACHE}/ca.crt",
        },
    }
    site_data["smoke"] |= {
        "key-file": f"{CACHE}/smoke-key",
        "client-certificate-file": f"{CACHE}/phone.crt",
        "client-private-key-file": f"{CACHE}/phone.key",
    }
    return site_data


def pod_of(graph: Graph) -> dict[str, Any]:
    """Return the proxy's pod."""
    return graph.named("endpoint-deployment").inputs["spec"]["template"]


def strings(value: Any, *, secret: bool = False) -> list[tuple[bool, str]]:
    """Return every text among the inputs of a resource, and whether it is marked as a secret."""
    if isinstance(value, dict):
        marked = secret or value.get(pulumi.runtime.rpc._special_sig_key) == SECRET
        return [found for inner in value.values() for found in strings(inner, secret=marked)]
    if isinstance(value, list):
        return [found for inner in value for found in strings(inner, secret=secret)]
    return [(secret, str(value))]


def test_keys_and_certificates_are_secrets_and_nowhere_else(guarded: dict[str, Any], machine: Path) -> None:
    graph = record(guarded)
    data = graph.named("endpoint-access").inputs["data"]
    assert data[pulumi.runtime.rpc._special_sig_key] == SECRET
    texts = {name: base64.b64decode(text).decode() for name, text in data["value"].items()}
    assert texts == {
        "keys.yaml": (machine / "keys.yaml").read_text(),
        "jwks.json": '{"keys": []}',
        "tls.crt": (machine / "server.crt").read_text(),
        "tls.key": (machine / "server.key").read_text(),
        "client-ca.crt": (machine / "ca.crt").read_text(),
    }
    private = ["kubevc_a_very_private_key", "PRIVATE KEY", HASH, data["value"]["tls.key"]]
    for resource in graph.resources.values():
        for secret, text in strings(resource.inputs):
            assert secret or not any(word in text for word in private), resource.urn


def test_the_loaded_site_shows_no_key(guarded: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite]) -> None:
    loaded = load(guarded)
    assert "PRIVATE KEY" in loaded.access.texts["tls.key"]
    assert "PRIVATE KEY" not in repr(loaded)
    assert HASH not in repr(loaded)


def test_the_proxy_reads_what_the_endpoint_writes(guarded: dict[str, Any], machine: Path, tmp_path: Path) -> None:
    graph = record(guarded)
    config = yaml.safe_load(graph.named("endpoint-config").inputs["data"]["proxy.yaml"])
    access, tls = Access.model_validate(config["access"]), Tls.model_validate(config["tls"])
    assert not access.open_metrics
    assert access.rate_limit is not None
    assert access.rate_limit.requests_per_second == 5
    assert access.cors.allowed_origins == ("https://app.example.org",)
    assert access.oidc is not None
    assert access.oidc.issuer == "https://issuer.example.org:8443/"
    secret = graph.named("endpoint-access").inputs["data"]["value"]
    (mount,) = [mount for mount in pod_of(graph)["spec"]["containers"][0]["volumeMounts"] if mount["name"] == "access"]
    folder = Path(mount["mountPath"])
    for path in (access.keys_file, access.oidc.jwks_file, *tls.paths):
        assert path is not None
        assert path.parent == folder
        assert path.name in secret
    (tmp_path / "written.yaml").write_bytes(base64.b64decode(secret["keys.yaml"]))
    assert [entry.name for entry in read_entries(tmp_path / "written.yaml").values()] == ["phone"]


def test_new_keys_and_certificates_restart_no_pod(guarded: dict[str, Any], machine: Path) -> None:
    before = record(guarded)
    (machine / "keys.yaml").write_text("{}")
    write_pair(machine, "server")
    after = record(guarded)
    assert pod_of(before) == pod_of(after)
    assert before.named("endpoint-access").inputs["data"] != after.named("endpoint-access").inputs["data"]
    assert before.named("smoke-request").inputs == after.named("smoke-request").inputs
    assert after.named("workspace-kubernetes").inputs["enableSecretMutable"] == "true"


def test_with_tls_the_cluster_and_the_proving_request_speak_it(guarded: dict[str, Any], machine: Path) -> None:
    graph = record(guarded)
    container = pod_of(graph)["spec"]["containers"][0]
    assert {container[probe]["httpGet"]["scheme"] for probe in ("readinessProbe", "livenessProbe")} == {"HTTPS"}
    assert graph.outputs["endpoint"] == "https://192.0.2.12:30080"
    command = graph.named("smoke-request").inputs["create"]
    assert "--endpoint https://192.0.2.12:30080" in command
    for flag, file in (
        ("certificate", "server.crt"),
        ("key-file", "smoke-key"),
        ("client-certificate", "phone.crt"),
        ("client-private-key", "phone.key"),
    ):
        assert f"--{flag} {machine}/{file}" in command


def test_a_site_without_any_of_it_has_none_of_it(machine: Path, site_data: dict[str, Any]) -> None:
    graph = record(site_data)
    assert graph.of_type("Secret") == []
    assert "access" not in yaml.safe_load(graph.named("endpoint-config").inputs["data"]["proxy.yaml"])
    assert graph.outputs["endpoint"] == "http://192.0.2.12:30080"
    assert "--certificate" not in graph.named("smoke-request").inputs["create"]


def test_the_issuer_is_reached_only_where_it_is_asked(guarded: dict[str, Any]) -> None:
    def ports(graph: Graph) -> list[float]:
        rules = graph.named("endpoint-policy").inputs["spec"]["egress"]
        return [rule["ports"][0]["port"] for rule in rules if "to" not in rule]

    assert ports(record(guarded)) == []
    del guarded["endpoint"]["access"]["oidc"]["jwks-file"]
    assert ports(record(guarded)) == [8443]


@pytest.mark.parametrize(
    ("days", "found"), [(-1, "server.crt, valid from "), (30, "server.crt and MACHINE/ca.key, which are no pair")]
)
def test_certificates_that_no_client_would_accept(
    guarded: dict[str, Any], machine: Path, load: Callable[[dict[str, Any]], LoadedSite], days: float, found: str
) -> None:
    write_pair(machine, "server", days)
    if days > 0:
        guarded["endpoint"]["tls"]["private-key-file"] = f"{CACHE}/ca.key"
    with pytest.raises(SiteFileError) as refused:
        load(guarded)
    (problem,) = refused.value.problems
    assert problem.where == "endpoint > tls > certificate-file"
    assert problem.found.replace(str(machine), "MACHINE").startswith(f"MACHINE/{found}")


def test_the_key_of_the_proving_request_may_be_in_the_environment(
    guarded: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite], monkeypatch: pytest.MonkeyPatch
) -> None:
    del guarded["endpoint"]["tls"]
    guarded["smoke"] = {"model": "detector", "picture": guarded["smoke"]["picture"]}
    with pytest.raises(SiteFileError, match="no environment variable KUBEVC_KEY"):
        load(guarded)
    monkeypatch.setenv("KUBEVC_KEY", "a key")
    load(guarded)

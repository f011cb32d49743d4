"""A site whose API is reached through SSH alone: where the tunnel begins, and what the kubeconfig then says."""

import io
from collections.abc import Callable
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components import kubeconfig, tunnel
from components.api_access import api_route, local_address, through
from components.load import LoadedSite
from components.site import Site
from edgehost import client
from tests.components.recording import SECRET, record

ADMIN = """\
apiVersion: v1
kind: Config
clusters: [{name: default, cluster: {server: "https://192.0.2.11:6443", certificate-authority-data: Y2E=}}]
users: [{name: default, user: {client-key-data: c2VjcmV0}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
current-context: default
"""


@pytest.fixture
def private(site_data: dict[str, Any]) -> dict[str, Any]:
    """Return a site whose API only SSH reaches, as plain data."""
    site_data["kubernetes"]["api-access"] = "ssh"
    return site_data


@pytest.fixture
def site(private: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite]) -> Site:
    """Return that site."""
    return load(private).site


def route_of(site: Site) -> client.Route:
    """Return the way to a site's API, which must be there."""
    route = api_route(site)
    assert route is not None
    return route


def test_a_site_is_reached_directly_unless_it_says_otherwise(
    site_data: dict[str, Any], load: Callable[[dict[str, Any]], LoadedSite]
) -> None:
    assert api_route(load(site_data).site) is None


def test_the_tunnel_goes_through_the_server_to_its_own_address(site: Site) -> None:
    route = route_of(site)
    assert route.host == client.HostAddress(name="cp1", address="192.0.2.11")
    assert (route.target_address, route.target_port) == ("192.0.2.11", 6443)


def test_its_beginning_is_the_same_in_every_run_and_another_for_every_site(site: Site) -> None:
    assert route_of(site).entrance == "127.114.104.205:20443"
    other = site.model_copy(update={"name": "seoul"})
    assert route_of(other).local_address != route_of(site).local_address


def test_another_server_has_another_beginning(site: Site) -> None:
    server = site.nodes[0].model_copy(update={"address": IPv4Address("192.0.2.13")})
    moved = site.model_copy(update={"nodes": (server, *site.nodes[1:])})
    assert route_of(moved).local_address != route_of(site).local_address


def test_beginnings_are_loopback_addresses_above_those_of_others() -> None:
    addresses = [IPv4Address(local_address(f"site-{number}")) for number in range(1000)]
    assert all(IPv4Address("127.64.0.1") <= address <= IPv4Address("127.127.255.254") for address in addresses)
    assert all(int(address) % 256 not in (0, 255) for address in addresses)
    assert len(set(addresses)) == 1000


def test_the_kubeconfig_leads_to_the_tunnel_and_asks_for_the_servers_own_certificate(site: Site) -> None:
    route = route_of(site)
    text = through(ADMIN, route)
    changed, before = yaml.safe_load(text), yaml.safe_load(ADMIN)
    cluster = changed["clusters"][0].pop("cluster")
    assert cluster == {
        "server": f"https://{route.entrance}",
        "certificate-authority-data": "Y2E=",
        "tls-server-name": "192.0.2.11",
    }
    before["clusters"][0].pop("cluster")
    assert changed == before
    assert text.startswith("# The API is reached through SSH; `make tunnel` opens the way")


def test_a_cluster_that_never_answered_has_no_kubeconfig_yet(site: Site) -> None:
    assert through("", route_of(site)) == ""


def test_the_program_hands_the_tunnel_to_the_provider_and_the_kubeconfig_to_kubernetes(
    machine: Path, private: dict[str, Any], site: Site
) -> None:
    graph = record(private)
    assert graph.named("hosts-ssh").inputs["tunnel"] == {
        "localAddress": route_of(site).local_address,
        "localPort": 20443,
        "host": {"name": "cp1", "address": "192.0.2.11"},
        "targetAddress": "192.0.2.11",
        "targetPort": 6443,
    }
    for given in (graph.named("workspace-kubernetes").inputs["kubeconfig"], graph.outputs["kubeconfig"]):
        assert given[pulumi.runtime.rpc._special_sig_key] == SECRET
        assert f"server: https://{route_of(site).entrance}\n" in given["value"]


def test_a_site_that_is_reached_directly_has_no_tunnel(machine: Path, site_data: dict[str, Any]) -> None:
    assert "tunnel" not in record(site_data).named("hosts-ssh").inputs


def written(folder: Path, site: dict[str, Any]) -> str:
    """Write a stack's file and return its path."""
    path = folder / "Pulumi.test.yaml"
    path.write_text(yaml.safe_dump({"config": {"kubevc:site": site}}))
    return str(path)


def test_a_tunnel_to_a_site_that_needs_none_is_refused(
    machine: Path, site_data: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert tunnel.main([written(machine, site_data)]) == 1
    assert capsys.readouterr().err == (
        "Pulumi.test.yaml: 1 problem\n"
        "\n"
        "  kubernetes > api-access\n"
        "    found: direct\n"
        "    why:   The kubeconfig of this site leads to the server itself; a tunnel would lead nobody.\n"
        "    fix:   Use kubectl as it is; or, if only SSH gets there, write api-access: ssh and run make up.\n"
    )


def test_a_tunnel_through_a_host_that_nobody_can_enter_is_refused(
    machine: Path, private: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    (machine / "id").unlink()
    assert tunnel.main([written(machine, private)]) == 1
    assert f"there is no readable file {machine / 'id'}" in capsys.readouterr().err


@pytest.mark.parametrize(("leads", "said"), [(True, "run: make tunnel SITE=seoul"), (False, "")])
def test_a_merged_kubeconfig_says_when_it_needs_the_tunnel(
    leads: bool,
    said: str,
    site: Site,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.setattr("sys.stdin", io.StringIO(through(ADMIN, route_of(site)) if leads else ADMIN))
    assert kubeconfig.main(["--merge", "--name", "seoul"]) == 0
    told = capsys.readouterr().out
    assert said in told
    assert ("tunnel" in told) is leads

"""A site's whole life on real hosts: bare, up, again, drifted, repaired, one host lost, destroyed.

The tests build on each other in the order of this file, as the life of a site does.
"""

import json
import urllib.request
from collections.abc import Callable

import pytest

from tests.lab.site_under_test import SiteUnderTest, differences

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


def test_preview_of_bare_hosts_says_per_host_what_is_missing(bare_site: SiteUnderTest) -> None:
    said = bare_site.preview().said
    for host in ("cp1", "edge1"):
        assert f"{host}: " in said
    assert not bare_site.writes()


def test_up_ends_with_an_answered_picture(site: SiteUnderTest) -> None:
    outputs = site.outputs()
    answer = outputs["answer"]
    assert isinstance(answer, dict)
    assert "cup" in {found["label"] for found in answer["detections"]}
    assert str(outputs["endpoint"]).startswith(f"http://{site.prefix}")


def test_the_nodes_are_ready_and_carry_their_roles(site: SiteUnderTest) -> None:
    nodes = json.loads(site.kubectl("get nodes -o json"))["items"]
    ready = {
        node["metadata"]["name"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready" and condition["status"] == "True"
    }
    assert ready == {"cp1", "edge1"}


def test_a_second_up_changes_nothing_and_writes_on_no_host(site: SiteUnderTest) -> None:
    site.clear_journal()
    site.up("--expect-no-changes")
    assert site.writes() == []


def test_preview_expects_no_changes(site: SiteUnderTest) -> None:
    site.preview("--expect-no-changes")


def test_the_kubeconfig_is_secret(site: SiteUnderTest) -> None:
    assert "client-key-data" in str(site.outputs()["kubeconfig"])
    assert "client-key-data" not in site.pulumi("stack output", "--json").said
    assert "client-key-data" not in site.pulumi("stack export").said


def test_no_join_token_is_left_anywhere(site: SiteUnderTest) -> None:
    assert "<none>" in site.on("cp1", "k3s token list || true") or "edge1" not in site.on(
        "cp1", "k3s token list || true"
    )
    left = site.on("edge1", "cat /etc/rancher/k3s/token; journalctl --no-pager -o cat; ps -eo args; env")
    state = site.pulumi("stack export").said
    assert "used00.0000000000000000" in left
    for place, text in {"agent": left, "state": state}.items():
        bootstrap = [word for word in text.split() if word.startswith("K10") and "::" in word]
        assert all(word.endswith("::used00.0000000000000000") for word in bootstrap), place


def test_the_model_servers_are_reachable_from_the_proxy_alone(site: SiteUnderTest) -> None:
    address = site.kubectl(
        "get pods -n serving -l app.kubernetes.io/name=model-detector -o jsonpath={.items[0].status.podIP}"
    )
    refused = site.on(
        "cp1", f"curl -s -m 3 -o /dev/null -w '%{{http_code}}' http://{address}:8501/v1/models/detector || true"
    )
    assert refused.strip() == "000"


def sysctl(site: SiteUnderTest) -> None:
    site.on("edge1", "sysctl -qw net.ipv4.ip_forward=0")


def edited_file(site: SiteUnderTest) -> None:
    site.on("edge1", "echo '# edited by hand' >> /etc/rancher/k3s/config.yaml")


def stopped_unit(site: SiteUnderTest) -> None:
    site.on("edge1", "systemctl stop k3s-agent")


def removed_package(site: SiteUnderTest) -> None:
    site.on("edge1", "dpkg --purge --force-depends ethtool")


def scaled_deployment(site: SiteUnderTest) -> None:
    site.kubectl("scale deployment -n serving model-classifier --replicas=0")


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (sysctl, "net.ipv4.ip_forward"),
        (edited_file, "edited by hand"),
        (stopped_unit, "k3s-agent"),
        (removed_package, "ethtool"),
        (scaled_deployment, "replicas"),
    ],
)
def test_an_edit_by_hand_shows_by_name_and_is_repaired(
    site: SiteUnderTest, edit: Callable[[SiteUnderTest], None], named: str
) -> None:
    edit(site)
    shown = site.preview("--expect-no-changes", status=None)
    assert shown.status != 0
    assert named in shown.said
    site.up()
    site.preview("--expect-no-changes")


def test_a_changed_model_file_on_the_store_shows_and_is_repaired(site: SiteUnderTest) -> None:
    site.on("nfs1", "echo x >> /export/models/classifier/1/saved_model.pb")
    shown = site.preview("--expect-no-changes", status=None)
    assert shown.status != 0
    assert "saved_model.pb" in shown.said
    site.up()
    site.preview("--expect-no-changes")


def test_an_unreachable_host_is_named_and_never_taken_for_deleted(site: SiteUnderTest) -> None:
    site.on("edge1", "systemctl stop ssh.socket ssh.service 2>/dev/null; true", status=None)
    try:
        shown = site.preview(status=None).said
        assert "edge1" in shown
        assert "unreachable" in shown
        assert "+ create" not in shown
        assert "- delete" not in shown
    finally:
        site.lab("up")
    site.preview("--expect-no-changes")


def test_the_endpoint_refuses_what_is_no_picture(site: SiteUnderTest) -> None:
    request = urllib.request.Request(
        f"{site.outputs()['endpoint']}/v1/models/detector:predict",
        data=b"hello",
        headers={"Content-Type": "image/jpeg"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10)
    assert refused.value.code == 400
    assert "picture" in json.loads(refused.value.read())["error"]["message"]


def test_destroy_leaves_the_hosts_as_they_were(site: SiteUnderTest, bare_inventory: dict[str, set[str]]) -> None:
    site.destroy()
    after = {host: site.inventory(host) for host in bare_inventory}
    assert {host: differences(bare_inventory[host], after[host]) for host in after} == {host: [] for host in after}

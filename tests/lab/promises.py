"""What every site keeps, whatever makes its cluster; each check drives a site and asserts."""

import json
from collections.abc import Mapping

from tests.lab.site_under_test import SiteUnderTest, differences

Edits = Mapping[str, tuple[str, str]]
"""What a preview must name after an edit: host and command of the edit."""


def the_picture_is_answered(site: SiteUnderTest) -> None:
    outputs = site.outputs()
    answer = outputs["answer"]
    assert isinstance(answer, dict)
    assert "cup" in {found["label"] for found in answer["detections"]}
    assert str(outputs["endpoint"]).startswith(f"http://{site.prefix}")


def nodes_are_ready(site: SiteUnderTest, names: set[str]) -> None:
    nodes = json.loads(site.kubectl("get nodes -o json"))["items"]
    ready = {
        node["metadata"]["name"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready" and condition["status"] == "True"
    }
    assert ready == names


def a_second_up_writes_nothing(site: SiteUnderTest) -> None:
    site.clear_journal()
    site.up("--expect-no-changes")
    assert site.writes() == []


def the_kubeconfig_is_secret(site: SiteUnderTest) -> None:
    assert "client-key-data" in str(site.outputs()["kubeconfig"])
    assert "client-key-data" not in site.pulumi("stack output", "--json").said
    assert "client-key-data" not in site.pulumi("stack export").said


def model_servers_are_for_the_proxy_alone(site: SiteUnderTest) -> None:
    """A host of the cluster other than the pod's own is refused, and the proxy, which asks it, is answered."""
    address = site.kubectl(
        "get pods -n serving -l app.kubernetes.io/name=model-detector -o jsonpath={.items[0].status.podIP}"
    )
    refused = site.on(
        "cp1", f"curl -s -m 3 -o /dev/null -w '%{{http_code}}' http://{address}:8501/v1/models/detector || true"
    )
    assert refused.strip() == "000"


def edits_show_and_are_repaired(site: SiteUnderTest, edits: Edits) -> None:
    for host, command in edits.values():
        site.on(host, command)
    shown = site.preview("--expect-no-changes", status=None)
    assert shown.status != 0
    assert [name for name in edits if name not in shown.said] == [], shown.said
    site.up()
    site.preview("--expect-no-changes")


def hosts_are_as_they_were(site: SiteUnderTest, before: Mapping[str, set[str]]) -> None:
    after = {host: site.inventory(host) for host in before}
    changed = {host: lines for host in after if (lines := differences(before[host], after[host]))}
    assert not changed, json.dumps(changed, indent=2)

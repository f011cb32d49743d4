"""A site's whole life on real hosts: bare, up, again, drifted, repaired, one host lost, destroyed.

The tests build on each other in the order of this file, as the life of a site does.
"""

import json
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import pytest
import skimage
import yaml

from proxy.access.keys import new_key
from tests.lab import promises
from tests.lab.load import load
from tests.lab.site_under_test import SiteUnderTest
from tests.proxy.access_server import client_context, issue

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """Return a site whose hosts have just booted for the first time; take the hosts down afterwards."""
    site = SiteUnderTest("kubevc-test", "10.99.77.", tmp_path_factory.mktemp("site"))
    with site.bare_hosts():
        yield site


def test_preview_of_bare_hosts_says_per_host_what_is_missing(bare_site: SiteUnderTest) -> None:
    said = bare_site.preview().said
    for host in ("cp1", "edge1"):
        assert f"{host}: " in said
    assert not bare_site.writes()


def test_up_ends_with_an_answered_picture(site: SiteUnderTest) -> None:
    promises.the_picture_is_answered(site)


def test_the_nodes_are_ready(site: SiteUnderTest) -> None:
    promises.nodes_are_ready(site, {"cp1", "edge1"})


def test_a_second_up_changes_nothing_and_writes_on_no_host(site: SiteUnderTest) -> None:
    promises.a_second_up_writes_nothing(site)


def test_preview_expects_no_changes(site: SiteUnderTest) -> None:
    site.preview("--expect-no-changes")


def test_the_kubeconfig_is_secret(site: SiteUnderTest) -> None:
    promises.the_kubeconfig_is_secret(site)


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
    promises.model_servers_are_for_the_proxy_alone(site)


EDITS = {
    "net.ipv4.ip_forward": ("edge1", "sysctl -qw net.ipv4.ip_forward=0"),
    "edited by hand": ("edge1", "echo '# edited by hand' >> /etc/rancher/k3s/config.yaml"),
    "k3s-agent.service is not running": ("edge1", "systemctl stop k3s-agent"),
    "ethtool": ("edge1", "dpkg --purge --force-depends ethtool"),
    "replicas": ("cp1", "kubectl --cache-dir=/tmp/kubectl scale deployment -n serving model-classifier --replicas=0"),
    "the server has no kubeconfig": ("cp1", "rm /etc/rancher/k3s/k3s.yaml"),
    "saved_model.pb": ("nfs1", "echo x >> /export/models/classifier/1/saved_model.pb"),
}


def test_edits_by_hand_show_by_name_and_are_repaired(site: SiteUnderTest) -> None:
    promises.edits_show_and_are_repaired(site, EDITS)


def served_versions(site: SiteUnderTest, model: str) -> set[str]:
    with urllib.request.urlopen(f"{site.outputs()['endpoint']}/v1/models/{model}", timeout=10) as answer:
        status = json.loads(answer.read())["model_version_status"]
    return {version["version"] for version in status if version["state"] == "AVAILABLE"}


def test_a_new_version_is_served_without_a_restart(site: SiteUnderTest) -> None:
    source = site.copy_model("classifier")
    shutil.copytree(source / "1", source / "2")
    before = site.kubectl("get pods -n serving -o jsonpath={.items[*].metadata.uid}")
    site.up()
    for _ in range(30):
        if "2" in served_versions(site, "classifier"):
            break
        time.sleep(1)
    assert "2" in served_versions(site, "classifier")
    assert site.kubectl("get pods -n serving -o jsonpath={.items[*].metadata.uid}") == before
    shutil.rmtree(source / "2")
    site.up()
    site.preview("--expect-no-changes")


def test_an_unreachable_host_is_named_and_never_taken_for_deleted(site: SiteUnderTest) -> None:
    with site.unreachable("edge1"):
        shown = site.preview(status=None).said
    assert "edge1 (10.99.77.12)" in shown
    assert "does not answer" in shown
    assert not re.search(r"^ *[+-] *(edgehost|kubernetes):", shown, flags=re.M), shown
    assert not re.search(r"\d+ to (create|delete|replace)", shown), shown
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
    assert "picture" in json.loads(refused.value.read())["error"]


def picture() -> bytes:
    """Return a photograph as a camera saves it."""
    file = Path(skimage.__file__).parent / "data" / "coffee.png"
    return cv2.imencode(".jpg", cv2.imread(str(file)), [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()


def test_the_file_goes_to_the_model_and_boxes_come_back(site: SiteUnderTest) -> None:
    url = f"{site.outputs()['endpoint']}"
    before = sent_bytes(url)
    headers = {"content-type": "image/jpeg"}
    response = httpx.post(f"{url}/v1/models/detector:predict", content=picture(), headers=headers, trust_env=False)
    assert "cup" in {found["label"] for found in response.json()["detections"]}
    grown = {leg: count - before.get(leg, 0) for leg, count in sent_bytes(url).items()}
    assert grown["to-model"] < len(picture()) + 1000
    assert grown["from-model"] < 3000


def sent_bytes(url: str) -> dict[str, float]:
    """Return what the endpoint has sent and got for the detector, by leg of the way."""
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    found = re.findall(r'kubevc_proxy_bytes_total\{leg="([a-z-]+)",model="detector"\} (\S+)', text)
    return {leg: float(count) for leg, count in found}


def test_no_request_is_lost_while_proxies_are_replaced_and_a_model_server_is_killed(site: SiteUnderTest) -> None:
    settings = site.settings()
    next(model for model in settings["models"] if model["name"] == "classifier")["replicas"] = 2
    site.set_settings(settings)
    site.up()
    settings["endpoint"]["max-in-flight"] = 17
    site.set_settings(settings)
    with load(f"{site.outputs()['endpoint']}/v1/models/classifier:predict", picture()) as running:
        proxies = site.kubectl("get pods -n serving -l app.kubernetes.io/name=proxy -o name")
        site.up()
        assert site.kubectl("get pods -n serving -l app.kubernetes.io/name=proxy -o name") != proxies
        selector = "-l app.kubernetes.io/name=model-classifier -o jsonpath={.items[0].metadata.name}"
        server = site.kubectl(f"get pods -n serving {selector}").strip()
        site.kubectl(f"delete pod -n serving {server} --grace-period=0 --force")
        time.sleep(5)
    assert running.failed == {}
    assert running.answers["200"] > 50


def test_keys_and_tls_reach_the_endpoint(site: SiteUnderTest, monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key()
    keys = site.folder / "keys.yaml"
    keys.write_text(yaml.safe_dump({key.id: {"name": "phone", "sha256": key.sha256}}))
    issued = issue(site.folder, "endpoint", address=f"{site.prefix}12")
    settings = site.settings()
    settings["endpoint"] |= {
        "access": {"keys-file": str(keys)},
        "tls": {"certificate-file": str(issued.certificate_file), "private-key-file": str(issued.key_file)},
    }
    site.set_settings(settings)
    with monkeypatch.context() as variables:
        # The request that proves the site needs a key now.
        variables.setenv("KUBEVC_KEY", key.text)
        site.up()
    url = str(site.outputs()["endpoint"])
    assert url.startswith("https://")
    with httpx.Client(verify=client_context(issued), trust_env=False) as client:
        assert client.get(f"{url}/v1/models").status_code == 401
        allowed = client.get(f"{url}/v1/models", headers={"x-api-key": key.text})
        assert {model["name"] for model in allowed.json()["models"]} == {"detector", "classifier"}
    state = site.pulumi("stack export").said
    for secret in (key.text, issued.key_file.read_text().splitlines()[1]):
        assert secret not in state


def test_destroy_leaves_the_hosts_as_they_were(site: SiteUnderTest, bare_inventory: dict[str, set[str]]) -> None:
    site.destroy()
    promises.hosts_are_as_they_were(site, bare_inventory)

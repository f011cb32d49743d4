"""A kubeadm site on real hosts, led from one minor version of Kubernetes to the next.

The tests build on each other in the order of this file, as the life of a site does.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import httpx
import pytest
import skimage

from tests.lab import promises
from tests.lab.load import load
from tests.lab.site_under_test import SiteUnderTest
from tests.lab.versions import EARLIER, LATER, ask_for, bare_earlier_site, kubelets

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1800)]

NODES = ("cp1", "edge1")
PROGRAMS = "/usr/local/lib/kubernetes"


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """Return a site of the earlier version whose hosts have just booted; take the hosts down afterwards."""
    folder = tmp_path_factory.mktemp("upgrade")
    with bare_earlier_site("kubevc-upg", "10.99.81.", folder, like="edge-lab-kubeadm") as site:
        yield site


def images(site: SiteUnderTest) -> dict[str, str]:
    """Return the image of each part of the cluster, by the name that kubeadm gives the part."""
    pods: list[dict[str, Any]] = json.loads(site.kubectl("get pods -n kube-system -o json"))["items"]
    parts = {
        pod["metadata"]["labels"].get("component") or pod["metadata"]["labels"].get("k8s-app"): pod for pod in pods
    }
    return {name: pod["spec"]["containers"][0]["image"] for name, pod in parts.items() if name}


def test_the_site_begins_with_the_earlier_version(site: SiteUnderTest) -> None:
    promises.the_picture_is_answered(site)
    assert kubelets(site) == dict.fromkeys(NODES, EARLIER)
    assert images(site)["kube-apiserver"].endswith(f":{EARLIER}")


def test_its_other_images_are_those_that_its_hosts_have(site: SiteUnderTest) -> None:
    found = images(site)
    assert found["etcd"] == "registry.k8s.io/etcd:3.6.4-0"
    assert found["kube-dns"] == "registry.k8s.io/coredns/coredns:v1.12.1"


def test_the_site_answers_after_it_was_led_to_the_later_version(site: SiteUnderTest) -> None:
    ask_for(site, LATER)
    site.clear_journal()
    url = f"{site.outputs()['endpoint']}/v1/models/detector:predict"
    picture = cv2.imencode(".jpg", cv2.imread(str(Path(skimage.__file__).parent / "data" / "coffee.png")))[1].tobytes()
    # Its only agent is drained meanwhile, so that requests fail; they must not keep it from coming back.
    with load(url, picture, at_most_seconds=1200) as running:
        site.up()
    assert running.answers["200"] > 0
    assert "cup" in labels(url, picture)


def labels(url: str, picture: bytes, patience_seconds: float = 300) -> set[str]:
    """Return what is seen on a picture, as soon as the pods that were driven off their node are back."""
    until = time.monotonic() + patience_seconds
    while True:
        try:
            answer = httpx.post(
                url, content=picture, headers={"content-type": "image/jpeg"}, timeout=30, trust_env=False
            )
            return {found["label"] for found in answer.raise_for_status().json()["detections"]}
        except httpx.HTTPError:
            if time.monotonic() > until:
                raise
            time.sleep(2)


def test_every_part_runs_the_later_version(site: SiteUnderTest) -> None:
    assert kubelets(site) == dict.fromkeys(NODES, LATER)
    promises.nodes_are_ready(site, set(NODES))
    found = images(site)
    for part in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy"):
        assert found[part] == f"registry.k8s.io/{part}:{LATER}"
    assert not json.loads(site.kubectl("get nodes -o json --field-selector spec.unschedulable=true"))["items"]


def test_the_control_plane_went_first(site: SiteUnderTest) -> None:
    steps = [str(write["step"]) for write in site.writes()]
    assert steps.index("kubeadm-upgrade-apply") < steps.index("kubeadm-upgrade-node")
    assert [steps.count(step) for step in ("kubeadm-upgrade-apply", "kubeadm-upgrade-node")] == [1, 1]


def test_the_earlier_programs_are_gone(site: SiteUnderTest) -> None:
    for host in NODES:
        assert site.on(host, f"ls {PROGRAMS}").split() == [LATER]
        assert site.on(host, "kubelet --version").split() == ["Kubernetes", LATER]


def test_a_second_up_changes_nothing_and_writes_on_no_host(site: SiteUnderTest) -> None:
    promises.a_second_up_writes_nothing(site)


def test_a_downgrade_is_refused_in_the_preview(site: SiteUnderTest) -> None:
    ask_for(site, EARLIER)
    site.clear_journal()
    refused = site.preview(status=None)
    assert refused.status != 0
    assert f"{EARLIER}, older than {LATER}, which the cluster runs" in refused.said
    assert f"Write {LATER} or a newer one" in refused.said
    assert site.writes() == []
    ask_for(site, LATER)
    site.preview("--expect-no-changes")


def test_destroy_leaves_the_hosts_as_they_were(site: SiteUnderTest, bare_inventory: dict[str, set[str]]) -> None:
    site.destroy()
    promises.hosts_are_as_they_were(site, bare_inventory)

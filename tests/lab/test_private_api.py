"""A site whose API is closed to this machine: everything works through its SSH.

The tests build on each other in the order of this file, as the life of a site does.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from experiments.trial import CHECKOUT
from lab.architecture import own
from tests.lab.site_under_test import SiteUnderTest

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

API_PORT = 6443


@contextmanager
def closed_to_this_machine(site: SiteUnderTest, host: str) -> Iterator[None]:
    """Have a host drop what this machine sends to its API, as a router that lets SSH alone through."""
    rule = f"INPUT -s {site.prefix}1 -p tcp --dport {API_PORT} -j DROP"
    inside = ["ip", "netns", "exec", f"lab.{site.name}.{host}", "iptables"]
    site.run([*inside, "-I", *rule.split()], 0)
    try:
        yield
    finally:
        site.run([*inside, "-D", *rule.split()], 0)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """Return a site of one node, brought up while its API was closed; take the hosts down afterwards."""
    site = SiteUnderTest("kubevc-priv", "10.99.78.", tmp_path_factory.mktemp("site"))
    settings = site.settings()
    settings["kubernetes"]["api-access"] = "ssh"
    settings["nodes"] = [node for node in settings["nodes"] if node["role"] == "server"]
    site.set_settings(settings)
    with site.bare_hosts(), closed_to_this_machine(site, "cp1"):
        site.up()
        yield site


def test_up_ends_with_an_answered_picture_though_the_api_is_closed(site: SiteUnderTest) -> None:
    answer = site.outputs()["answer"]
    assert isinstance(answer, dict)
    assert "cup" in {found["label"] for found in answer["detections"]}
    assert site.kubectl("get --raw /readyz").strip() == "ok"
    with pytest.raises(TimeoutError):
        socket.create_connection((f"{site.prefix}11", API_PORT), timeout=3)


def test_preview_reads_the_cluster_and_finds_no_change(site: SiteUnderTest) -> None:
    site.preview("--expect-no-changes")


def test_kubectl_works_while_a_person_holds_the_way_open(site: SiteUnderTest) -> None:
    config = site.folder / "kubeconfig"
    text = str(site.outputs()["kubeconfig"])
    merge = [sys.executable, "-m", "components.kubeconfig", "--merge", "--name", site.name]
    environment = {**site.environment, "KUBECONFIG": str(config)}
    said = subprocess.run(merge, cwd=CHECKOUT, env=environment, input=text, text=True, capture_output=True, check=True)
    assert f"make tunnel SITE={site.name}" in said.stdout
    ask = [kubectl(), "get", "nodes", "-o", "name", "--request-timeout=10s"]
    with held_open(site):
        asked = subprocess.run(ask, env=environment, text=True, capture_output=True, check=False)
        assert (asked.returncode, asked.stdout) == (0, "node/cp1\n"), asked.stderr
        site.preview("--expect-no-changes")
    closed = subprocess.run(ask, env=environment, text=True, capture_output=True, check=False)
    assert "refused" in closed.stderr


def kubectl() -> str:
    """Return the path of a kubectl that this machine can run: that of the lab's kubeadm sites."""
    found = sorted(Path(os.environ["KUBEVC_CACHE"]).glob(f"artifacts/kubectl/*/{own()}/kubectl"))
    return str(found[-1])


@contextmanager
def held_open(site: SiteUnderTest) -> Iterator[None]:
    """Run what `make tunnel` runs, for a while."""
    command = [sys.executable, "-m", "components.tunnel", str(site.config)]
    with subprocess.Popen(command, cwd=CHECKOUT, env=site.environment, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert "leads to the API of kubevc-priv through cp1" in process.stdout.readline()
            yield
        finally:
            process.terminate()


def test_destroy_takes_everything_down(site: SiteUnderTest) -> None:
    site.destroy()
    assert "resources" not in json.loads(site.pulumi("stack export").said)["deployment"]
    assert site.on("cp1", "ls -d /usr/local/bin/k3s /etc/rancher 2>/dev/null || true") == ""

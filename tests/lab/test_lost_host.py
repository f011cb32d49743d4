"""A site whose hosts are lost: started again, made anew, named and given up.

The tests build on each other in the order of this file.
"""

import time
from collections.abc import Iterator

import pytest

from edgehost.forgetting import FORGET_VARIABLE
from tests.lab import promises
from tests.lab.site_under_test import SiteUnderTest

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """Return a site whose hosts have just booted for the first time; take the hosts down afterwards."""
    site = SiteUnderTest("kubevc-lost", "10.99.82.", tmp_path_factory.mktemp("lost"))
    with site.bare_hosts():
        yield site


def switch_off(site: SiteUnderTest, host: str) -> None:
    """Have a host off; it answers for a moment longer."""
    site.on(host, "systemctl poweroff", status=None)
    for _ in range(60):
        if site.lab("exec", host, "--", "true", status=None).status != 0:
            return
        time.sleep(1)
    pytest.fail(f"{host} did not go off")


def test_a_server_whose_api_stands_still_is_shown_and_started_again(site: SiteUnderTest) -> None:
    site.on("cp1", "systemctl stop k3s")
    shown = site.update("preview", "--diff", status=None)
    assert 'status: "the API does not answer" => "Ready"' in shown.said
    assert shown.status != 0
    site.update("up", "--yes", "--skip-preview")
    promises.nodes_are_ready(site, {"cp1", "edge1"})
    promises.a_second_up_writes_nothing(site)


def test_a_cluster_whose_server_was_installed_anew_begins_anew(
    site: SiteUnderTest, bare_inventory: dict[str, set[str]]
) -> None:
    site.lab("pristine", "cp1")
    bare_inventory["cp1"] = site.inventory("cp1")
    site.update("up", "--yes", "--skip-preview")
    promises.nodes_are_ready(site, {"cp1", "edge1"})
    promises.the_picture_is_answered(site)
    promises.a_second_up_writes_nothing(site)


def test_a_lost_host_is_named_before_anything_is_deleted(
    site: SiteUnderTest, bare_inventory: dict[str, set[str]]
) -> None:
    switch_off(site, "edge1")
    del bare_inventory["edge1"]
    before = site.kubectl("get deployments,daemonsets --all-namespaces -o name")
    said = site.pulumi("destroy", "--yes", "--skip-preview", status=1).said
    assert "edge1 (10.99.82.12): connect, to delete: the host does not answer" in said
    assert f"{FORGET_VARIABLE}=1 pulumi destroy" in said
    assert site.kubectl("get deployments,daemonsets --all-namespaces -o name") == before


def test_a_host_that_is_forgotten_keeps_nothing_of_the_others(
    site: SiteUnderTest, bare_inventory: dict[str, set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FORGET_VARIABLE, "1")
    site.destroy()
    promises.hosts_are_as_they_were(site, bare_inventory)
    assert not site.pulumi("stack", "--show-urns").said.count("edgehost:index:")

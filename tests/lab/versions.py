"""The versions of Kubernetes that a kubeadm site under test is led through."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.lab.site_under_test import SiteUnderTest

EARLIER = "v1.33.5"
LATER = "v1.34.1"


@contextmanager
def bare_earlier_site(name: str, network_prefix: str, folder: Path, like: str) -> Iterator[SiteUnderTest]:
    """Have a kubeadm site of the earlier version whose hosts have just booted; the hosts are gone afterwards."""
    administrator = "/etc/kubernetes/admin.conf"
    site = SiteUnderTest(name, network_prefix, folder, like=like, kubeconfig=administrator, patience_seconds=1500)
    with site.bare_hosts():
        ask_for(site, EARLIER)
        yield site


def ask_for(site: SiteUnderTest, version: str) -> None:
    """Write a version into the site's file."""
    settings = site.settings()
    settings["kubernetes"]["version"] = version
    site.set_settings(settings)


def kubelets(site: SiteUnderTest) -> dict[str, str]:
    """Return the version that each node runs."""
    nodes = json.loads(site.kubectl("get nodes -o json"))["items"]
    return {node["metadata"]["name"]: node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes}

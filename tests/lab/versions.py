"""The versions of Kubernetes that a kubeadm site under test is led through."""

import json

from tests.lab.site_under_test import SiteUnderTest

EARLIER = "v1.33.5"
LATER = "v1.34.1"


def ask_for(site: SiteUnderTest, version: str) -> None:
    """Write a version into the site's file."""
    settings = site.settings()
    settings["kubernetes"]["version"] = version
    site.set_settings(settings)


def kubelets(site: SiteUnderTest) -> dict[str, str]:
    """Return the version that each node runs."""
    nodes = json.loads(site.kubectl("get nodes -o json"))["items"]
    return {node["metadata"]["name"]: node["status"]["nodeInfo"]["kubeletVersion"] for node in nodes}

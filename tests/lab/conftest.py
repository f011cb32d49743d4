"""The site that the lab's end-to-end tests share."""

import os
from collections.abc import Iterator

import pytest

from tests.lab.site_under_test import SiteUnderTest

# Its assertions are to show what they compared, as those of tests do.
pytest.register_assert_rewrite("tests.lab.promises")

HOSTS = ("cp1", "edge1", "nfs1")


@pytest.fixture(scope="session")
def bare_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteUnderTest]:
    """Return a site whose hosts have just booted for the first time; take the hosts down afterwards."""
    if os.geteuid() != 0:
        pytest.fail("the lab needs root: run the tests as root, or leave the lab out with `make test-fast`")
    site = SiteUnderTest("kubevc-test", "10.99.77.", tmp_path_factory.mktemp("site"))
    with site.bare_hosts():
        yield site


@pytest.fixture(scope="session")
def bare_inventory(bare_site: SiteUnderTest) -> dict[str, set[str]]:
    """Return what each host was before the site was made."""
    return {host: bare_site.inventory(host) for host in HOSTS}


@pytest.fixture(scope="session")
def site(bare_site: SiteUnderTest, bare_inventory: dict[str, set[str]]) -> SiteUnderTest:
    """Return the site, brought up from bare hosts."""
    bare_site.up()
    return bare_site

"""What every module that tests a site begins with; each says in its own `bare_site` what site that is."""

import pytest

from tests.lab.site_under_test import SiteUnderTest

# Its assertions are to show what they compared, as those of tests do.
pytest.register_assert_rewrite("tests.lab.promises")


@pytest.fixture(scope="module")
def bare_inventory(bare_site: SiteUnderTest) -> dict[str, set[str]]:
    """Return what each host was before the site was made."""
    return {host: bare_site.inventory(host) for host in bare_site.hosts}


@pytest.fixture(scope="module")
def site(bare_site: SiteUnderTest, bare_inventory: dict[str, set[str]]) -> SiteUnderTest:
    """Return the site, brought up from bare hosts."""
    bare_site.up()
    return bare_site

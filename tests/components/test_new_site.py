"""A starting file leads to a site once its addresses are filled in."""

from pathlib import Path

import pytest

from components.load import site_data, site_from_data
from components.new import NewSiteError, write_site


def test_the_file_loads_once_the_addresses_are_filled_in(tmp_path: Path) -> None:
    path = write_site("seoul", tmp_path)
    text = path.read_text()
    assert text.count("fill in:") == 3
    for number in range(3):
        text = text.replace("address:  ", f"address: 192.0.2.{number + 1}  ", 1)
    path.write_text(text)
    site = site_from_data(site_data(path), path.name)
    assert site.name == "seoul"
    assert [str(node.address) for node in site.nodes] == ["192.0.2.1", "192.0.2.2"]


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.seoul.yaml").write_text("mine")
    with pytest.raises(NewSiteError, match="is there already"):
        write_site("seoul", tmp_path)
    assert (tmp_path / "Pulumi.seoul.yaml").read_text() == "mine"


@pytest.mark.parametrize("name", ["", "Seoul", "../seoul", "a" * 64])
def test_a_name_that_is_no_dns_label_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(NewSiteError, match="lower-case letters"):
        write_site(name, tmp_path)
    assert not list(tmp_path.iterdir())

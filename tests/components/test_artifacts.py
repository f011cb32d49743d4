"""Which file an artifact is, for each way a site gets its artifacts."""

from pathlib import Path

import pytest

from components.artifacts import ArtifactSource
from components.errors import LockTableError
from components.site import OFFICIAL_TABLE

FIRST, SECOND = "1a" * 32, "2b" * 32
TABLE = f"""
artifacts:
  - {{name: k3s, version: v1, architecture: amd64, url: k3s/v1/k3s, sha256: {FIRST}, size-bytes: 7}}
  - {{name: k3s, version: v2, architecture: amd64, url: "https://example.org/k3s", sha256: {SECOND}}}
  - {{name: labels, version: v1, architecture: any, url: labels.txt, sha256: {FIRST}, image: "kubevc.io/labels:v1"}}
  - {{name: later, version: v1, architecture: amd64, url: later}}
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.yaml"
    path.write_text(TABLE)
    return path


def test_a_relative_url_is_below_the_mirror(table: Path) -> None:
    found = ArtifactSource.read([table], "http://192.0.2.1:8080/").locate("k3s", "v1", "amd64")
    assert (found.url, found.source_file, found.sha256) == ("http://192.0.2.1:8080/k3s/v1/k3s", None, FIRST)
    assert found.size_bytes == 7


def test_without_a_mirror_it_is_a_file_beside_the_table(table: Path) -> None:
    found = ArtifactSource.read([table], None).locate("k3s", "v1", "amd64")
    assert (found.url, found.source_file) == (None, str(table.parent / "k3s/v1/k3s"))


def test_an_absolute_url_goes_past_the_mirror(table: Path) -> None:
    assert (
        ArtifactSource.read([table], "http://192.0.2.1").locate("k3s", "v2", "amd64").url == "https://example.org/k3s"
    )


def test_without_a_version_the_last_row_is_meant(table: Path) -> None:
    assert ArtifactSource.read([table], None).locate("k3s", None, "amd64").version == "v2"


def test_a_row_for_any_architecture_fits_each(table: Path) -> None:
    assert ArtifactSource.read([table], None).locate("labels", "v1", "armhf").image == "kubevc.io/labels:v1"


def test_the_first_table_decides(table: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(f"artifacts: [{{name: k3s, version: v1, architecture: amd64, url: other, sha256: {SECOND}}}]")
    assert ArtifactSource.read([other, table], None).locate("k3s", "v1", "amd64").sha256 == SECOND
    assert ArtifactSource.read([other, table], None).locate("k3s", "v2", "amd64").sha256 == SECOND


@pytest.mark.parametrize(("name", "architecture"), [("k3s", "arm64"), ("unheard-of", "amd64")])
def test_what_no_table_has_is_refused(table: Path, name: str, architecture: str) -> None:
    with pytest.raises(LockTableError, match=f"no row for {name} "):
        ArtifactSource.read([table], None).locate(name, None, architecture)


def test_a_row_without_a_checksum_is_refused_with_the_command_that_fills_it_in(table: Path) -> None:
    with pytest.raises(LockTableError) as refused:
        ArtifactSource.read([table], None).locate("later", "v1", "amd64")
    assert refused.value.problem.fix == f"Fill it in, on a machine that reaches its publisher: make pin TABLE={table}"


def test_the_official_table_has_checksums_for_every_architecture() -> None:
    source = ArtifactSource.read([OFFICIAL_TABLE], None)
    for architecture in ("amd64", "arm64", "armhf"):
        found = source.locate("k3s", "v1.34.3+k3s1", architecture)
        assert (found.url or "").startswith("https://github.com/k3s-io/k3s/releases/download/v1.34.3%2Bk3s1/k3s")

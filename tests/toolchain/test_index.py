"""The artifact table: what is written is what a site's lock table holds."""

import hashlib
import threading
from pathlib import Path

import pytest
import yaml

from toolchain import index
from toolchain.errors import CacheError
from toolchain.index import Artifact


def binary(version: str = "v1", architecture: str = "amd64") -> Artifact:
    return Artifact(name="k3s", version=version, architecture=architecture, file_name="k3s")


def file_with(folder: Path, content: bytes) -> Path:
    path = folder / "built"
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def table() -> list[dict[str, object]]:
    return yaml.safe_load(index.index_path().read_text())["artifacts"]


def test_a_row_has_the_fields_of_the_lock_table(tmp_path: Path) -> None:
    index.add(binary(), file_with(tmp_path, b"hello"))
    assert table() == [
        {
            "name": "k3s",
            "version": "v1",
            "architecture": "amd64",
            "url": "k3s/v1/amd64/k3s",
            "sha256": hashlib.sha256(b"hello").hexdigest(),
            "size-bytes": 5,
        }
    ]


def test_an_image_archive_carries_its_reference(tmp_path: Path) -> None:
    pause = Artifact(
        name="image-pause", version="3.6", architecture="amd64", file_name="pause.tar", image="x/pause:3.6"
    )
    assert index.add(pause, file_with(tmp_path, b"tar"))["image"] == "x/pause:3.6"


def test_the_file_in_the_cache_keeps_content_and_mode(tmp_path: Path) -> None:
    index.add(binary(), file_with(tmp_path, b"hello"))
    assert binary().path.read_bytes() == b"hello"
    assert binary().path.stat().st_mode & 0o111


def test_adding_again_replaces_the_row(tmp_path: Path) -> None:
    index.add(binary(), file_with(tmp_path, b"one"))
    (tmp_path / "again").mkdir()
    index.add(binary(), file_with(tmp_path / "again", b"three"))
    assert [row["size-bytes"] for row in table()] == [5]


def test_versions_and_architectures_stand_side_by_side(tmp_path: Path) -> None:
    for artifact in (binary("v2"), binary("v1", "arm64"), binary("v1")):
        index.add(artifact, file_with(tmp_path, b"x"))
    assert [(row["version"], row["architecture"]) for row in table()] == [
        ("v1", "amd64"),
        ("v1", "arm64"),
        ("v2", "amd64"),
    ]


def test_only_version_drops_the_older_rows_of_that_architecture(tmp_path: Path) -> None:
    for artifact in (binary("v1"), binary("v1", "arm64")):
        index.add(artifact, file_with(tmp_path, b"x"))
    index.add(binary("v2"), file_with(tmp_path, b"x"), only_version=True)
    assert [(row["version"], row["architecture"]) for row in table()] == [("v1", "arm64"), ("v2", "amd64")]


def test_has_notices_a_missing_or_cut_file(tmp_path: Path) -> None:
    assert not index.has(binary())
    index.add(binary(), file_with(tmp_path, b"hello"))
    assert index.has(binary())
    binary().path.unlink()
    assert not index.has(binary())
    binary().path.write_bytes(b"he")
    assert not index.has(binary())


def test_many_producers_lose_no_row(tmp_path: Path) -> None:
    source = file_with(tmp_path, b"x")
    producers = [threading.Thread(target=index.add, args=(binary(f"v{n}"), source)) for n in range(12)]
    for producer in producers:
        producer.start()
    for producer in producers:
        producer.join()
    assert len(table()) == 12
    assert [path.name for path in index.index_path().parent.glob(".*yaml*")] == []


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(CacheError) as refused:
        index.add(binary())
    assert str(refused.value) == (
        f"{binary().path}: the file does not exist\n"
        "  why it matters: k3s v1 cannot be served to hosts without it\n"
        "  what to do: run: python -m toolchain setup --lab"
    )


@pytest.mark.parametrize("content", ["artifacts: [", "artifacts: [1, 2]", "- a list", "", "artifacts:"])
def test_a_damaged_table_is_refused_with_the_way_out(content: str) -> None:
    path = index.index_path()
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(CacheError, match="not a table of artifacts") as refused:
        index.entries()
    assert f"rm {path} && python -m toolchain setup --lab" in str(refused.value)

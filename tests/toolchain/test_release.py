"""The official release, from a server on loopback."""

import pytest

from tests.toolchain.served import ARCHIVE, CHECKSUMS, Served, archive, publish
from toolchain import cache
from toolchain.errors import DownloadError, Unreachable
from toolchain.release import Release, answers


def test_it_is_unpacked_into_the_cache(served: Served) -> None:
    folder = publish(served, archive()).fetch()
    assert folder == cache.toolchain() / "pulumi-official" / "3.259.0" / "amd64"
    assert (folder / "pulumi").stat().st_mode & 0o111
    assert sorted(path.name for path in folder.parent.iterdir()) == ["amd64"]
    assert served.asked == [CHECKSUMS, ARCHIVE]


def test_an_archive_with_another_checksum_is_refused_unopened(served: Served) -> None:
    release = publish(served, archive("#!/bin/sh\nevil\n"), of=archive())
    with pytest.raises(DownloadError) as refused:
        release.fetch()
    assert not isinstance(refused.value, Unreachable)
    assert f"{served.url}{ARCHIVE}: its SHA-256 is " in str(refused.value)
    assert "it was deleted unopened" in str(refused.value)
    assert "python -m toolchain setup --retry-official" in str(refused.value)
    assert not release.folder.exists()
    assert list(release.folder.parent.iterdir()) == []


def test_an_archive_that_is_not_listed_is_not_downloaded(served: Served) -> None:
    served.files[CHECKSUMS] = b"\n"
    release = Release(version="3.259.0", architecture="amd64", base_url=served.url)
    with pytest.raises(Unreachable, match=r"there is no checksum for pulumi-v3\.259\.0-linux-x64\.tar\.gz in it"):
        release.fetch()
    assert served.asked == [CHECKSUMS]


def test_a_version_that_the_server_does_not_have_is_unreachable(served: Served) -> None:
    with pytest.raises(Unreachable, match=r"checksums.txt: it cannot be had: Not Found"):
        Release(version="3.259.0", architecture="amd64", base_url=served.url).fetch()


def test_a_server_that_is_not_there_is_unreachable(no_server: str) -> None:
    with pytest.raises(Unreachable, match="Connection refused"):
        Release(version="3.259.0", architecture="amd64", base_url=no_server).fetch()


def test_answers_tells_a_server_from_none(served: Served, no_server: str) -> None:
    assert answers(served.url)
    assert not answers(no_server)

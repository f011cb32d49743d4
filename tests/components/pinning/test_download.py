"""How publishers are asked: bounded tries, addresses in every message, never from HTTPS to HTTP."""

import hashlib
import re
import socket
from pathlib import Path

import pytest

from components.pinning import download
from components.pinning.download import Downloader
from components.pinning.errors import DownloadFailed, NotPublished
from tests.components.pinning.conftest import Publisher

FAST = Downloader(timeout_seconds=5, tries=3, pause_seconds=0)


def test_a_passing_fault_is_tried_again(publisher: Publisher, tmp_path: Path) -> None:
    checksum = publisher.put("file", "content")
    publisher.failures["file"] = 2
    assert FAST.file(f"{publisher.url}/file", tmp_path / "copy") == checksum
    assert (tmp_path / "copy").read_text() == "content"
    assert publisher.asked["file"] == 3


def test_the_tries_are_bounded_and_the_message_names_the_address(publisher: Publisher) -> None:
    publisher.put("file", "content")
    publisher.failures["file"] = 100
    with pytest.raises(DownloadFailed) as failed:
        FAST.text(f"{publisher.url}/file")
    assert publisher.asked["file"] == 3
    assert str(failed.value) == (
        f"{publisher.url}/file\n"
        "    found: the answer 503 Service Unavailable\n"
        "    why:   What the publisher says of its files is read here; 3 tries failed.\n"
        "    fix:   Run this on a machine that reaches the address, and again if the publisher had a fault."
    )


def test_what_is_not_there_is_asked_for_once(publisher: Publisher) -> None:
    with pytest.raises(NotPublished, match=re.escape(f"{publisher.url}/nothing")):
        FAST.text(f"{publisher.url}/nothing")
    assert publisher.asked["nothing"] == 1


def test_a_publisher_that_cannot_be_reached_is_told_without_a_traceback() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file"
        with pytest.raises(DownloadFailed, match="refused") as failed:
            FAST.text(url)
    assert failed.value.problem.where == url


def test_waits_grow_between_tries(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(download.time, "sleep", waits.append)
    publisher.failures["file"] = 100
    with pytest.raises(DownloadFailed):
        Downloader(tries=4, pause_seconds=2).text(f"{publisher.url}/file")
    assert waits == [2, 4, 6]


def test_an_answer_that_left_https_is_refused() -> None:
    with pytest.raises(ValueError, match=r"it leads to http://mirror\.example\.org/file, which is not encrypted"):
        download._refuse_downgrade("https://example.org/file", "http://mirror.example.org/file")
    download._refuse_downgrade("https://example.org/file", "https://mirror.example.org/file")


def test_a_file_is_checksummed_without_being_kept(publisher: Publisher) -> None:
    content = bytes(range(256)) * 9000
    publisher.put("file", content)
    assert FAST.checksum(f"{publisher.url}/file") == hashlib.sha256(content).hexdigest()

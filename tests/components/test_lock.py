"""Filling in checksums, from a real web server on loopback."""

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from components.artifacts import read_table
from components.errors import LockTableError
from components.lock import fill_in, main

CONTENT = b"a program"
DIGEST = hashlib.sha256(CONTENT).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    """A file server that writes no log."""

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "published"
    folder.mkdir()
    (folder / "k3s-arm64").write_bytes(CONTENT)
    (folder / "sums.txt").write_text(f"{'3c' * 32}  k3s\n{DIGEST}  k3s-arm64\n")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def write(tmp_path: Path, row: str) -> Path:
    table = tmp_path / "table.yaml"
    table.write_text(f"# A comment that stays.\nartifacts:\n  - {{{row}}}\n")
    return table


def test_the_publishers_list_decides(publisher: str, tmp_path: Path) -> None:
    row = f'name: k3s, version: v1+k3s1, architecture: arm64, url: "{publisher}/k3s-arm64"'
    table = write(tmp_path, f'{row}, checksums-url: "{publisher}/sums.txt"')
    said = fill_in(table, "k3s", "v1+k3s1", "arm64")
    assert said == f"k3s v1+k3s1 arm64: {DIGEST} (from {publisher}/sums.txt)"
    assert read_table(table).entries[0].sha256 == DIGEST
    assert table.read_text().startswith("# A comment that stays.\n")


def test_without_a_list_the_file_is_downloaded_and_the_command_says_so(publisher: str, tmp_path: Path) -> None:
    table = write(tmp_path, f'name: tool, version: "1", architecture: any, url: "{publisher}/k3s-arm64"')
    said = fill_in(table, "tool", "1", "amd64")
    assert DIGEST in said
    assert "compare it with another source" in said


def test_a_list_without_the_file_fills_nothing_in(publisher: str, tmp_path: Path) -> None:
    row = f'name: k3s, version: v1, architecture: amd64, url: "{publisher}/k3s-amd64"'
    table = write(tmp_path, f'{row}, checksums-url: "{publisher}/sums.txt"')
    before = table.read_text()
    with pytest.raises(LockTableError, match="no line for it"):
        fill_in(table, "k3s", "v1", "amd64")
    assert table.read_text() == before


def test_a_checksum_that_is_there_is_never_changed(tmp_path: Path) -> None:
    table = write(tmp_path, f"name: k3s, version: v1, architecture: amd64, url: nowhere, sha256: {'4d' * 32}")
    assert "nothing was changed" in fill_in(table, "k3s", "v1", "amd64")


def test_a_failed_download_is_told_without_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = write(tmp_path, 'name: k3s, version: v1, architecture: amd64, url: "http://127.0.0.1:9/k3s"')
    assert main([str(table), "k3s", "v1", "amd64"]) == 1
    assert "refused" in capsys.readouterr().err

"""The cache of Debian packages: an HTTP proxy for apt that keeps what it fetched, safe for many labs at once."""

import os
import shutil
import tempfile
import time
from email.utils import formatdate, parsedate_to_datetime
from http import HTTPStatus
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Lock
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import urlopen

_INDEX_LIFE_SECONDS = 12 * 3600
_UPSTREAM_TIMEOUT_SECONDS = 60


class PackageStore:
    """Files of Debian archives by host and path, fetched when first asked for.

    Several processes may share the folder: a file is written aside and renamed, so it is whole or not there.

    Args:
        directory: The folder; made if it is not there.
        archives: Names of the hosts that may be asked; a lab's hosts reach nothing else.
    """

    def __init__(self, directory: Path, archives: frozenset[str]) -> None:
        self.directory, self.archives = directory, archives
        self._locks: dict[Path, Lock] = {}

    def file(self, url: SplitResult) -> Path:
        """Return the cached file of an address, after fetching it if there is none or it is old.

        Raises:
            HTTPError: The archive refuses it.
            OSError: The archive cannot be reached and there is no older copy.
        """
        file = self.directory / f"{url.hostname}" / url.path.lstrip("/")
        with self._locks.setdefault(file, Lock()):
            if not self._fresh(file):
                self._fetch(url, file)
        return file

    @staticmethod
    def _fresh(file: Path) -> bool:
        if not file.is_file():
            return False
        # A package's file never changes under its name, nor does an index under its hash.
        lasting = "/pool/" in str(file) or "/by-hash/" in str(file)
        # The time of change is when it was fetched; the time of modification is the archive's.
        return lasting or time.time() - file.stat().st_ctime < _INDEX_LIFE_SECONDS

    def _fetch(self, url: SplitResult, file: Path) -> None:
        try:
            with urlopen(url.geturl(), timeout=_UPSTREAM_TIMEOUT_SECONDS) as answer:
                _keep(answer, answer.headers, file)
        except HTTPError:
            raise
        except (URLError, OSError):
            if not file.is_file():
                raise


def _keep(answer: "object", headers: HTTPMessage, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".fetching-", delete=False) as aside:
        try:
            shutil.copyfileobj(answer, aside, 1 << 20)  # type: ignore[misc]
            aside.flush()
            _check_length(headers, Path(aside.name))
            os.utime(aside.name, (time.time(), _modified(headers)))
            Path(aside.name).rename(file)
        except BaseException:
            Path(aside.name).unlink()
            raise


def _check_length(headers: HTTPMessage, file: Path) -> None:
    promised = headers.get("Content-Length")
    if promised is not None and int(promised) != file.stat().st_size:
        raise OSError(f"{file.stat().st_size} of {promised} bytes came")


def _modified(headers: HTTPMessage) -> float:
    stamp = headers.get("Last-Modified")
    return parsedate_to_datetime(stamp).timestamp() if stamp else time.time()


class AptCacheHandler(BaseHTTPRequestHandler):
    """Answer apt's and wget's proxy requests out of a `PackageStore`."""

    protocol_version = "HTTP/1.1"
    store: PackageStore

    def do_GET(self) -> None:
        """Answer with a file of an archive."""
        url = urlsplit(self.path)
        if url.scheme != "http" or url.hostname not in self.store.archives or ".." in url.path.split("/"):
            self.send_error(HTTPStatus.FORBIDDEN, f"only Debian archives: {', '.join(sorted(self.store.archives))}")
            return
        try:
            file = self.store.file(url)
        except HTTPError as error:
            self.send_error(error.code, str(error.reason))
        except OSError as error:
            self.send_error(HTTPStatus.BAD_GATEWAY, str(error))
        else:
            self._send(file)

    do_HEAD = do_GET

    def _send(self, file: Path) -> None:
        with file.open("rb") as content:
            status = os.fstat(content.fileno())
            modified = formatdate(status.st_mtime, usegmt=True)
            unchanged = self.headers.get("If-Modified-Since") == modified
            self.send_response(HTTPStatus.NOT_MODIFIED if unchanged else HTTPStatus.OK)
            self.send_header("Last-Modified", modified)
            self.send_header("Content-Length", "0" if unchanged else str(status.st_size))
            self.end_headers()
            if not unchanged and self.command == "GET":
                self.connection.sendfile(content)

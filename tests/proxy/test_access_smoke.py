"""The smoke request's connection: it knows the endpoint by its certificate and shows its key to nobody else."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from proxy.access.keys import new_key
from proxy.access.settings import Access, Tls
from proxy.errors import SmokeFailed
from proxy.smoke_connection import KEY_VARIABLE, Identification
from tests.proxy.access_server import AccessServer, access_server, issue
from tests.proxy.test_access_keys import write_keys


def ask(server: AccessServer, scheme: str, identification: Identification) -> dict[str, str]:
    """Ask as the smoke request does."""
    url = f"{scheme}://127.0.0.1:{server.port}/v1/models/detector:predict"
    message = urllib.request.Request(url, b"{}", identification.headers())
    with identification.opener().open(message, timeout=10) as response:
        return json.load(response)


def test_a_key_from_a_file_or_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, file, key, other = tmp_path / "keys.yaml", tmp_path / "key", new_key().text, new_key().text
    write_keys(keys, (key, "phone", ""), (other, "camera", ""))
    file.write_text(f"{key}\n")
    with access_server(Access(keys_file=keys)) as server:
        assert ask(server, "http", Identification(key_file=file))["client"] == "phone"
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(server, "http", Identification())
        monkeypatch.setenv(KEY_VARIABLE, other)
        assert ask(server, "http", Identification())["client"] == "camera"
        assert ask(server, "http", Identification(key_file=file))["client"] == "phone"


def test_the_endpoint_is_known_by_its_own_certificate(tmp_path: Path) -> None:
    authority = issue(tmp_path, "ca", authority=True)
    server_pair, sibling = issue(tmp_path, "server", by=authority), issue(tmp_path, "sibling", by=authority)
    phone = issue(tmp_path, "phone", by=authority)
    chain = tmp_path / "chain.crt"
    chain.write_bytes(server_pair.certificate_file.read_bytes() + authority.certificate_file.read_bytes())
    tls = Tls(
        certificate_file=server_pair.certificate_file,
        private_key_file=server_pair.key_file,
        client_ca_file=authority.certificate_file,
    )
    shown = {"client_certificate": phone.certificate_file, "client_private_key": phone.key_file}
    with access_server(tls=tls) as server:
        for file in (server_pair.certificate_file, chain):
            assert ask(server, "https", Identification(certificate=file, **shown))["client"] == "phone"
        for other in (None, sibling.certificate_file):
            with pytest.raises(urllib.error.URLError, match="certificate verify failed"):
                ask(server, "https", Identification(certificate=other, **shown))


def test_a_sibling_with_the_same_authority_is_not_the_endpoint(tmp_path: Path) -> None:
    authority = issue(tmp_path, "ca", authority=True)
    mine, sibling = issue(tmp_path, "mine", by=authority), issue(tmp_path, "sibling", by=authority)
    chain = tmp_path / "chain.crt"
    chain.write_bytes(mine.certificate_file.read_bytes() + authority.certificate_file.read_bytes())
    with (
        access_server(tls=Tls(certificate_file=sibling.certificate_file, private_key_file=sibling.key_file)) as server,
        pytest.raises(urllib.error.URLError, match="certificate verify failed"),
    ):
        ask(server, "https", Identification(certificate=chain))


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    for identification in (
        Identification(certificate=tmp_path / "empty"),
        Identification(certificate=tmp_path / "none"),
        Identification(client_certificate=tmp_path / "empty", client_private_key=tmp_path / "empty"),
    ):
        with pytest.raises(SmokeFailed):
            identification.opener()
    with pytest.raises(SmokeFailed):
        Identification(key_file=tmp_path / "none").headers()

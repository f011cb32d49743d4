"""API keys: made, kept as hashes, changed while requests come, and refused in one form."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import yaml

from proxy.access.key_file import KeyFile, read_entries
from proxy.access.keys import new_key, read_key
from proxy.access.settings import Access
from proxy.errors import ConfigError
from tests.proxy.access_server import AccessServer, access_server
from tests.proxy.running import ROOT

KEY_FORM = r"kubevc_[a-z][a-z0-9]{7}_[0-9A-Za-z]{43}"


def write_keys(path: Path, *entries: tuple[str, str, str]) -> None:
    """Write a file of keys, each with its text, its name and more YAML."""
    lines = []
    for text, name, more in entries:
        key = read_key(text)
        assert key is not None
        lines.append(f"{key.id}: {{name: {name}, sha256: {key.sha256}{', ' if more else ''}{more}}}\n")
    path.write_text("".join(lines) or "{}")


def ask(server: AccessServer, headers: dict[str, str], model: str = "detector") -> httpx.Response:
    """Send a request."""
    return httpx.post(f"http://127.0.0.1:{server.port}/v1/models/{model}:predict", headers=headers)


def bearer(key: str) -> dict[str, str]:
    """Return the header that shows a key."""
    return {"authorization": f"Bearer {key}"}


def test_keys_are_of_their_form_and_differ() -> None:
    keys = [new_key() for _ in range(100)]
    assert len({key.text for key in keys}) == 100
    assert all(re.fullmatch(KEY_FORM, key.text) and read_key(key.text) == key for key in keys)
    assert keys[0].text not in repr(keys[0])


@pytest.mark.parametrize("text", ["", "kubevc_abc_def", f"kubevc_{'a' * 8}_{'b' * 42}", f"x{new_key().text}", "é" * 60])
def test_what_is_no_key(text: str) -> None:
    assert read_key(text) is None


def run_new_key(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command that makes a key."""
    command = [sys.executable, "-m", "proxy.access.new_key", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_command_shows_a_key_once_and_writes_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    made = [run_new_key("--name", "phone", "--keys-file", str(path), *more) for more in ([], ["--model", "detector"])]
    texts = [result.stdout.strip() for result in made]
    assert all(re.fullmatch(KEY_FORM, text) for text in texts)
    assert not any(text in path.read_text() for text in texts)
    assert path.stat().st_mode & 0o777 == 0o600
    entries = [KeyFile(path).find(key) for text in texts if (key := read_key(text))]
    assert [entry and entry.name for entry in entries] == ["phone", "phone"]
    assert [entry and entry.models for entry in entries] == [None, frozenset({"detector"})]


def test_the_command_shows_the_entry_where_no_file_is_named() -> None:
    key, _, entry = run_new_key("--name", "phone", "--days", "90").stdout.partition("\n")
    assert set(yaml.safe_load(entry)[key[7:15]]) == {"name", "sha256", "not-after"}


def test_the_command_leaves_a_file_alone_that_is_none_of_keys(tmp_path: Path) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text("- no mapping")
    result = run_new_key("--name", "phone", "--keys-file", str(path))
    assert (result.returncode, result.stdout) == (2, "")
    assert path.read_text() == "- no mapping"
    assert "no mapping of ids to entries" in result.stderr


def test_requests_with_and_without_a_key(tmp_path: Path) -> None:
    path, good, old, other = tmp_path / "keys.yaml", new_key().text, new_key().text, new_key().text
    write_keys(path, (good, "phone", "models: [detector]"), (old, "camera", "not-after: 2020-01-31"))
    with access_server(Access(keys_file=path)) as server:
        answer = ask(server, bearer(good))
        assert answer.json() == {"client": "phone", "label": "phone"}
        assert ask(server, {"x-api-key": good}).status_code == 200
        offered = {"sec-websocket-protocol": f"kubevc, kubevc.bearer.{good}"}
        assert ask(server, offered).status_code == 200
        for headers in ({}, bearer(other), bearer(old), bearer("x"), {"authorization": f"Basic {good}"}):
            refusal = ask(server, headers)
            assert refusal.status_code == 401
            assert refusal.headers["www-authenticate"].startswith("Bearer")
            assert not re.search(KEY_FORM, refusal.text)
        # The key of the query is nobody's.
        url = f"http://127.0.0.1:{server.port}/v1/models/detector:predict?key={good}"
        assert httpx.post(url).status_code == 401
        forbidden = ask(server, bearer(good), "classifier")
        assert (forbidden.status_code, forbidden.json()["code"]) == (403, "forbidden")


def test_a_wrong_random_part_behind_a_known_id_is_refused(tmp_path: Path) -> None:
    key = new_key()
    write_keys(tmp_path / "keys.yaml", (key.text, "phone", ""))
    forged = read_key(key.text[:-1] + ("A" if key.text[-1] != "A" else "B"))
    file = KeyFile(tmp_path / "keys.yaml")
    assert forged is not None
    assert file.find(key) is not None
    assert file.find(forged) is None


def test_rotation_while_requests_come(tmp_path: Path) -> None:
    path, old, new = tmp_path / "keys.yaml", new_key().text, new_key().text
    write_keys(path, (old, "phone", ""))
    with access_server(Access(keys_file=path)) as server:

        def statuses() -> list[int]:
            return [ask(server, bearer(key)).status_code for key in (old, new)]

        assert statuses() == [200, 401]
        for entries, expected in (
            ([(old, "phone", ""), (new, "phone", "")], [200, 200]),
            ([(new, "phone", "")], [401, 200]),
        ):
            write_keys(path, *entries)
            until = time.monotonic() + 5
            while statuses() != expected and time.monotonic() < until:
                time.sleep(0.1)
            assert statuses() == expected


def test_a_broken_file_keeps_the_keys_and_is_logged_without_its_values(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, key, mistaken = tmp_path / "keys.yaml", new_key(), new_key().text
    write_keys(path, (key.text, "phone", ""))
    file = KeyFile(path, pause_seconds=0)
    caplog.set_level(logging.INFO, "proxy")
    for broken in (f"{key.id}: {{name: phone, sha256: {mistaken}}}", f"{mistaken}: {{}}", f"a: [{mistaken}", ""):
        path.write_text(broken)
        assert file.find(key) is not None
    path.unlink()
    assert file.find(key) is not None
    assert [record.message for record in caplog.records] == ["keys-not-read"] * 5
    assert mistaken not in repr([record.__dict__ for record in caplog.records])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "the file as a whole: no mapping of ids to entries"),
        ("abcdefgh: {name: a b, sha256: x}", "an entry > name: not of its form; an entry > sha256: not of its form"),
        ("abcdefgh: {name: a}", "an entry > sha256: the key is missing"),
        ("abc: {name: a, sha256: " + "a" * 64 + "}", "an id that is not a lower-case letter and 7 letters or digits"),
        ("a: {}\nb: ]", "no YAML, in line 2"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, text: str, found: str) -> None:
    path = tmp_path / "keys.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refusal:
        read_entries(path)
    assert refusal.value.found == found

"""Merging a site's kubeconfig into one's own."""

import io
import stat
from pathlib import Path

import pytest
import yaml

from components.kubeconfig import main, merge

SITE = """
clusters: [{name: default, cluster: {server: "https://192.0.2.11:6443"}}]
users: [{name: default, user: {client-key-data: c2VjcmV0}}]
contexts: [{name: default, context: {cluster: default, user: default}}]
current-context: default
"""
OWN = """
apiVersion: v1
kind: Config
clusters: [{name: work, cluster: {server: "https://work"}}, {name: seoul, cluster: {server: "https://old"}}]
users: [{name: work, user: {token: t}}]
contexts: [{name: work, context: {cluster: work, user: work}}]
current-context: work
preferences: {colors: true}
"""


def test_a_new_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / ".kube" / "config"
    merge(SITE, "seoul", path)
    content = yaml.safe_load(path.read_text())
    assert content["current-context"] == "seoul"
    assert content["contexts"] == [{"name": "seoul", "context": {"cluster": "seoul", "user": "seoul"}}]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_other_clusters_stay_and_an_older_entry_of_the_site_goes(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(OWN)
    merge(SITE, "seoul", path)
    content = yaml.safe_load(path.read_text())
    servers = {entry["name"]: entry["cluster"]["server"] for entry in content["clusters"]}
    assert servers == {"work": "https://work", "seoul": "https://192.0.2.11:6443"}
    assert content["preferences"] == {"colors": True}


def test_nothing_is_written_when_the_site_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config"
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["--merge", "--name", "seoul"]) == 1
    assert "Is the site up?" in capsys.readouterr().err
    assert not path.exists()

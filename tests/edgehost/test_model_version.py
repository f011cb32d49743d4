"""Versions of models on a store."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from edgehost.errors import NoSpace
from edgehost.host import Host
from edgehost.resources.model_version import ModelVersion, ModelVersionInputs, ModelVersionState
from tests.edgehost.disposable_host import DisposableHost, SshServer

FOLDER = "/export/models/detector"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "detector" / "1"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(os.urandom(300_000))
    (folder / "variables" / "variables.index").write_bytes(b"index")
    (folder / "variables" / "name with space").write_bytes(b"odd")
    (folder / "saved_model.pb").chmod(0o600)
    return folder


@pytest.fixture
def wanted(server: SshServer, source: Path) -> ModelVersionInputs:
    inputs = ModelVersionInputs(
        host=server.address, model="detector", version=1, source_directory=str(source), store_path="/export/models"
    )
    return ModelVersion().complete(inputs)


async def test_a_version_is_published_whole_and_readable_by_servers(
    host: Host, machine: DisposableHost, wanted: ModelVersionInputs
) -> None:
    state = await ModelVersion().create(host, wanted)
    assert await ModelVersion().read(host, state) == state
    assert machine.run(f"ls -A {FOLDER}") == "1\n"
    modes = machine.run(f"find {FOLDER} -printf '%y%m %u\\n' | sort -u").split("\n")
    assert modes == ["d755 root", "f644 root", ""]
    assert machine.run(f"cd {FOLDER}/1 && sha256sum --quiet -c manifest.sha256; echo $?") == "0\n"


async def test_publishing_the_same_again_writes_nothing(
    host: Host, machine: DisposableHost, wanted: ModelVersionInputs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await ModelVersion().create(host, wanted)
    journal = tmp_path / "journal"
    monkeypatch.setenv("EDGEHOST_JOURNAL", str(journal))
    await ModelVersion().create(host, wanted)
    assert not journal.exists()


async def test_a_changed_a_missing_and_an_added_file_are_named_and_repaired(
    host: Host, machine: DisposableHost, wanted: ModelVersionInputs
) -> None:
    state = await ModelVersion().create(host, wanted)
    machine.run(f"cd {FOLDER}/1; echo x >> saved_model.pb; rm variables/variables.index; echo y > extra")
    found = await ModelVersion().read(host, state)
    assert found is not None
    assert found.manifest.keys() == {"saved_model.pb", "variables/name with space", "extra"}
    assert found.manifest["saved_model.pb"] != wanted.manifest["saved_model.pb"]
    assert ModelVersion().check_change(found, wanted) == []
    await ModelVersion().update(host, found, wanted)
    assert await ModelVersion().read(host, state) == state
    assert machine.run(f"ls -A {FOLDER}") == "1\n"


async def test_a_broken_transfer_leaves_nothing_that_a_server_would_take(
    host: Host, machine: DisposableHost, wanted: ModelVersionInputs
) -> None:
    machine.run(f"mkdir -p {FOLDER}/.incoming-1-deadbeef; echo half > {FOLDER}/.incoming-1-deadbeef/saved_model.pb")
    assert await ModelVersion().read(host, ModelVersion().begun(wanted)) is None
    await ModelVersion().create(host, wanted)
    assert machine.run(f"ls -A {FOLDER}") == "1\n"


async def test_a_file_that_changes_under_the_transfer_is_not_published(
    host: Host, machine: DisposableHost, wanted: ModelVersionInputs, source: Path
) -> None:
    (source / "saved_model.pb").write_bytes(b"another one by now")
    with pytest.raises(Exception, match=r"saved_model\.pb: FAILED"):
        await ModelVersion().create(host, wanted)
    assert machine.run(f"ls -A {FOLDER}") == ""


async def test_a_full_store_is_refused_before_the_transfer(
    host: Host, machine: DisposableHost, wanted: ModelVersionInputs
) -> None:
    machine.run("mkdir -p /export && mount -t tmpfs -o size=128k tmpfs /export && mkdir /export/models")
    with pytest.raises(NoSpace, match=r"0\.3 MiB are needed in /export/models/detector, but 0\.1 MiB are free"):
        await ModelVersion().create(host, wanted)


async def test_delete_removes_the_version_and_our_folders(
    host: Host, machine: DisposableHost, wanted: ModelVersionInputs
) -> None:
    machine.run("mkdir -p /export/models")
    state = await ModelVersion().create(host, wanted)
    await ModelVersion().delete(host, state)
    assert machine.run("ls -A /export/models; ls -d /var/lib/edgehost 2>/dev/null || true") == ""


def test_a_folder_without_a_saved_model_is_refused(wanted: ModelVersionInputs, source: Path) -> None:
    (source / "saved_model.pb").unlink()
    assert [str(problem) for problem in ModelVersion().check(wanted)] == [
        f"sourceDirectory {source}: there is no saved_model.pb in it. A server loads a version only from a SavedModel. "
        "Name the folder that holds saved_model.pb and variables/, or export the model with `tf.saved_model.save`."
    ]


def test_a_missing_folder_is_refused(wanted: ModelVersionInputs) -> None:
    problems = ModelVersion().check(replace(wanted, source_directory="/no/model"))
    assert "sourceDirectory /no/model: there is no such folder." in str(problems[0])


def test_names_and_versions_that_cannot_be_right(wanted: ModelVersionInputs) -> None:
    problems = ModelVersion().check(replace(wanted, model="../x", version=0))
    assert ["'../x' is not the name of a model" in str(problems[0]), "0 is not a version" in str(problems[1])] == [
        True
    ] * 2


def test_another_content_of_a_published_version_is_refused(wanted: ModelVersionInputs, source: Path) -> None:
    state = replace(ModelVersion().begun(wanted), published=wanted.manifest)
    assert isinstance(state, ModelVersionState)
    (source / "saved_model.pb").write_bytes(b"retrained")
    problems = ModelVersion().check_change(state, ModelVersion().complete(wanted))
    assert [str(problem) for problem in problems] == [
        "detector version 1: it was published with another content; saved_model.pb differ. "
        "A published version never changes: a server that runs it would not load it again, and its answers could not "
        "be told apart. Publish the new content as version 2, or take the version out of the site, run `pulumi up`, "
        "and put it in again."
    ]

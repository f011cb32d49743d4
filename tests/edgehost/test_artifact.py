"""Artifacts on a real host, fetched from a real HTTP server or uploaded."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edgehost.address import HostAddress
from edgehost.errors import ChecksumMismatch, DownloadFailed, NoSpace
from edgehost.host import Host
from edgehost.resources.artifact import Artifact, ArtifactInputs
from tests.edgehost.disposable_host import DisposableHost, SshServer

CONTENT = bytes(range(256)) * 4096
SHA256 = hashlib.sha256(CONTENT).hexdigest()
PORT = 8099


@pytest.fixture
def wanted(server: SshServer, machine: DisposableHost) -> ArtifactInputs:
    """Return an artifact whose file lies in the folder that the mirror serves."""
    (machine.folder / "www").mkdir()
    (machine.folder / "www" / "tool").write_bytes(CONTENT)
    return ArtifactInputs(
        host=server.address,
        path="/opt/kv/bin/tool",
        url=f"http://127.0.0.1:{PORT}/tool",
        sha256=SHA256,
        mode="0755",
        links=["/usr/local/bin/tool", "/usr/local/bin/tool-too"],
    )


@pytest.fixture
def mirror(machine: DisposableHost, wanted: ArtifactInputs) -> Callable[[], list[str]]:
    """Serve the folder inside the host's network, which has no other; return the requests' first lines."""
    machine.serve(machine.folder / "www", PORT)
    return machine.requests


async def test_an_artifact_is_fetched_checked_and_linked(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    state = await Artifact().create(host, wanted)
    assert machine.run("sha256sum < /usr/local/bin/tool-too").split()[0] == SHA256
    assert machine.run("stat -c %a /opt/kv/bin/tool; ls -A /opt/kv/bin") == "755\ntool\n"
    assert await Artifact().read(host, state) == wanted
    before = len(mirror())
    await Artifact().create(host, wanted)
    assert len(mirror()) == before


async def test_a_wrong_sha256_installs_nothing(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    with pytest.raises(ChecksumMismatch) as refusal:
        await Artifact().create(host, replace(wanted, sha256="0" * 64))
    assert str(refusal.value) == (
        f"edge1 (127.0.0.1): artifact-download: the file for /opt/kv/bin/tool has sha256 {SHA256}, but {'0' * 64} was "
        "asked for. It may be damaged or another version; it was removed and nothing was installed. "
        "Correct the sha256 or the URL in the artifact lock file, or repair the mirror, then run `pulumi up` again."
    )
    assert machine.run("ls -Ad /opt/kv /usr/local/bin/tool 2>/dev/null || true") == ""


async def test_a_broken_transfer_goes_on_where_it_stopped(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    machine.run("mkdir -p /opt/kv/bin")
    machine.run(f"head -c 300000 {machine.folder}/www/tool > /opt/kv/bin/.tool.part")
    await Artifact().create(host, wanted)
    assert machine.run("sha256sum < /opt/kv/bin/tool").split()[0] == SHA256
    assert any("bytes=300000-" in line for line in mirror())


async def test_a_part_of_another_file_is_thrown_away(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    machine.run("mkdir -p /opt/kv/bin; echo another version > /opt/kv/bin/.tool.part")
    await Artifact().create(host, wanted)
    assert machine.run("sha256sum < /opt/kv/bin/tool").split()[0] == SHA256


async def test_a_part_that_is_longer_than_the_file_is_thrown_away(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    machine.run("mkdir -p /opt/kv/bin; head -c 3000000 /dev/zero > /opt/kv/bin/.tool.part")
    await Artifact().create(host, wanted)
    assert machine.run("sha256sum < /opt/kv/bin/tool").split()[0] == SHA256


async def test_no_space_is_found_before_anything_is_fetched(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    machine.run("mkdir /small && mount -t tmpfs -o size=512k tmpfs /small")
    with pytest.raises(NoSpace) as refusal:
        await Artifact().create(host, replace(wanted, path="/small/tool", links=[]))
    assert str(refusal.value) == (
        "edge1 (127.0.0.1): artifact-download: 1.0 MiB are needed in /small, but 0.5 MiB are free. "
        "Nothing was installed. Free space there (`ssh 127.0.0.1 df -h /small`), then run `pulumi up` again."
    )
    assert not any("GET /tool" in line for line in mirror())
    assert machine.run("ls -A /small") == ""


async def test_a_mirror_without_the_file_is_named(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    url = f"http://127.0.0.1:{PORT}/none"
    with pytest.raises(DownloadFailed) as refusal:
        await Artifact().create(host, replace(wanted, url=url))
    assert f"the host could not fetch {url} (curl: (22) The requested URL returned error: 404" in str(refusal.value)
    assert f"`ssh 127.0.0.1 curl -fI {url}`" in str(refusal.value)


async def test_an_artifact_is_uploaded(host: Host, machine: DisposableHost, wanted: ArtifactInputs) -> None:
    source = machine.folder / "www" / "tool"
    ours = replace(wanted, url=None, source_file=str(source))
    await Artifact().create(host, ours)
    assert machine.run("sha256sum < /usr/local/bin/tool").split()[0] == SHA256
    assert machine.run("stat -c '%a %U' /opt/kv/bin/tool; ls -A /opt/kv/bin") == "755 root\ntool\n"


async def test_a_wrong_source_file_is_not_sent(host: Host, machine: DisposableHost, wanted: ArtifactInputs) -> None:
    source = machine.folder / "www" / "tool"
    with pytest.raises(ChecksumMismatch) as refusal:
        await Artifact().create(host, replace(wanted, url=None, source_file=str(source), sha256="1" * 64))
    assert f"{source}: the file has sha256 {SHA256}, but {'1' * 64} was asked for." in str(refusal.value)
    assert machine.run("ls -Ad /opt/kv 2>/dev/null || true") == ""


async def test_an_upload_to_a_full_disk_is_refused_before_it_starts(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs
) -> None:
    machine.run("mkdir /small && mount -t tmpfs -o size=512k tmpfs /small")
    ours = replace(wanted, url=None, source_file=str(machine.folder / "www" / "tool"), path="/small/x/tool", links=[])
    with pytest.raises(NoSpace, match=r"1\.0 MiB are needed in /small, but 0\.5 MiB are free"):
        await Artifact().create(host, ours)
    assert machine.run("ls -A /small") == ""


async def test_drift_is_found_and_repaired(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    await Artifact().create(host, wanted)
    machine.run("echo x >> /opt/kv/bin/tool; rm /usr/local/bin/tool")
    found = await Artifact().read(host, wanted)
    assert found is not None
    assert found.sha256 != SHA256
    assert found.links == ["/usr/local/bin/tool-too"]
    await Artifact().update(host, found, wanted)
    assert await Artifact().read(host, wanted) == wanted


async def test_delete_leaves_what_stood_there_before(
    host: Host, machine: DisposableHost, wanted: ArtifactInputs, mirror: Callable[[], list[str]]
) -> None:
    machine.write("/usr/local/bin/tool-too", "theirs")
    await Artifact().create(host, wanted)
    await Artifact().delete(host, wanted)
    assert machine.run("cat /usr/local/bin/tool-too") == "theirs"
    assert machine.run("ls -Ad /opt/kv /usr/local/bin/tool /var/lib/edgehost 2>/dev/null || true") == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sha256": "abc"}, "sha256: 'abc' is not a sha256 of 64 lower-case hex digits"),
        ({"url": None}, "url: there is neither `url` nor `source_file`"),
        ({"source_file": "/etc/hosts"}, "url: there are both `url` and `source_file`"),
        ({"url": None, "source_file": "/no/file"}, "sourceFile: there is no file /no/file on this machine"),
        ({"path": "tool"}, "path: 'tool' is not the absolute path of a file"),
        ({"links": ["tool"]}, "links: 'tool' is not the absolute path of a file"),
    ],
)
def test_arguments_that_cannot_be_right(change: dict[str, object], said: str, tmp_path: Path) -> None:
    right = ArtifactInputs(
        host=HostAddress(name="edge1", address="127.0.0.1"), path="/x", url="http://x", sha256=SHA256
    )
    assert [said in str(problem) for problem in Artifact().check(replace(right, **change))] == [True]  # type: ignore[arg-type]

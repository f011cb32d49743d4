"""Images in a container runtime: containerd itself where this machine has it, and always a stand-in for it."""

import asyncio
import gzip
import hashlib
import io
import json
import platform
import shutil
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from edgehost import adapter
from edgehost.address import HostAddress
from edgehost.difference import compare
from edgehost.errors import ChecksumMismatch, CommandFailed, NoSpace, NotReady
from edgehost.host import Host
from edgehost.resources import container_images
from edgehost.resources.container_images import ContainerImages, ContainerImagesInputs
from tests.edgehost.conftest import SilentLog
from tests.edgehost.disposable_host import DisposableHost, SshServer

FOLDER = "/run/kv"
SOCKET = f"{FOLDER}/containerd.sock"
IMAGES = "/var/lib/images"
CTR = "/usr/local/bin/ctr"
BY_HAND = f"{CTR} --address {SOCKET} --connect-timeout 1s --namespace k8s.io"
HERE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
ELSEWHERE = {"amd64": "arm64", "arm64": "amd64"}[HERE]
CONTAINERD = f"""
version = 2
root = "{FOLDER}/root"
state = "{FOLDER}"
[grpc]
address = "{SOCKET}"
"""


def archive(
    content: bytes, *references: str, architecture: str = HERE, compress: Callable[[bytes], bytes] = bytes
) -> bytes:
    """Return what `docker save` writes: an image with one layer and one file in it."""
    layer = _tar({"bin/program": content})
    layer_sum = hashlib.sha256(layer).hexdigest()
    rootfs = {"type": "layers", "diff_ids": [f"sha256:{layer_sum}"]}
    configuration = json.dumps({"architecture": architecture, "os": "linux", "rootfs": rootfs}).encode()
    name = f"{hashlib.sha256(configuration).hexdigest()}.json"
    layer_name = f"{layer_sum}/layer.tar"
    entry = {"Config": name, "RepoTags": list(references) or None, "Layers": [layer_name]}
    return _tar({layer_name: compress(layer), name: configuration, "manifest.json": json.dumps([entry]).encode()})


def _tar(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return stream.getvalue()


@dataclass
class Runtime:
    """Hold a runtime on a host, and the folder of archives that it is given."""

    machine: DisposableHost
    command: str

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.machine.run(f"mkdir -p {FOLDER}; setsid {self.command} > /run/runtime.log 2>&1 < /dev/null &")
        self.machine.run(f"for _ in $(seq 50); do {BY_HAND} images ls -q 2>/dev/null && exit; sleep 0.2; done; exit 1")

    def run(self, arguments: str) -> str:
        """Ask it by hand."""
        return self.machine.run(f"{BY_HAND} {arguments}")

    def names(self) -> list[str]:
        """List the images, but for the second names that the kubelet's interface gives them."""
        return [name for name in self.run("images ls --quiet").split() if not name.startswith("sha256:")]

    def lay(self, name: str, content: bytes) -> str:
        """Lay an archive on the host and return its sha256."""
        (self.machine.folder / name).write_bytes(content)
        self.machine.run(f"mkdir -p {IMAGES}; cp {self.machine.folder}/{name} {IMAGES}/{name}.tar")
        return hashlib.sha256(content).hexdigest()


@pytest.fixture(params=["stand-in", "containerd"])
def stopped(request: pytest.FixtureRequest, machine: DisposableHost) -> Runtime:
    """Return a runtime that was not started yet."""
    if request.param == "stand-in":
        return _stand_in(machine)
    return _containerd(machine)


@pytest.fixture
def runtime(stopped: Runtime) -> Runtime:
    """Return a runtime that runs."""
    stopped.start()
    return stopped


@pytest.fixture
def containerd(machine: DisposableHost) -> Runtime:
    """Return containerd itself, not started yet."""
    return _containerd(machine)


def _stand_in(machine: DisposableHost) -> Runtime:
    program = f"{sys.executable} -IS {Path(__file__).with_name('ctr_stand_in.py')}"
    machine.write(CTR, f'#!/bin/sh\nexec {program} "$@"\n')
    machine.run(f"chmod 755 {CTR}")
    return Runtime(machine, f"{program} serve {SOCKET}")


def _containerd(machine: DisposableHost) -> Runtime:
    programs = [shutil.which(name) for name in ("containerd", "ctr")]
    if None in programs:
        pytest.skip("containerd is not installed; the stand-in was tried")
    machine.run(f"ln -sf {' '.join(map(str, programs))} /usr/local/bin/")
    machine.write("/etc/kv.toml", CONTAINERD)
    return Runtime(machine, "/usr/local/bin/containerd --config /etc/kv.toml")


@pytest.fixture
def wanted(server: SshServer, stopped: Runtime) -> ContainerImagesInputs:
    """Return two archives that lie on the host: one image with one name, one with two."""
    checksums = {
        "pause": stopped.lay("pause", archive(b"pause", "registry.example.org/pause:1")),
        "tool": stopped.lay("tool", archive(b"tool", "registry.example.org/tool:1", "tool:1")),
    }
    return inputs_of(server.address, checksums)


def inputs_of(address: HostAddress, checksums: dict[str, str]) -> ContainerImagesInputs:
    """Return archives as they lie on the host."""
    archives = {name: f"{IMAGES}/{name}.tar" for name in checksums}
    return ContainerImagesInputs(host=address, socket=SOCKET, archives=archives, checksums=checksums)


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[], list[str]]:
    """Return the steps that may have written since the test began."""
    file = tmp_path / "journal"
    monkeypatch.setenv("EDGEHOST_JOURNAL", str(file))
    return lambda: [json.loads(line)["step"] for line in file.read_text().splitlines()] if file.exists() else []


async def test_images_are_imported_once(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs, journal: Callable[[], list[str]]
) -> None:
    state = await ContainerImages().create(host, wanted)
    assert runtime.names() == [
        "docker.io/library/tool:1",
        "registry.example.org/pause:1",
        "registry.example.org/tool:1",
    ]
    assert journal() == ["images-import", "images-import"]
    before = len(runtime.machine.calls)
    assert await ContainerImages().read(host, state) == wanted
    assert len(runtime.machine.calls) == before + 1
    await ContainerImages().create(host, wanted)
    assert journal() == ["images-import", "images-import"]


async def test_one_of_two_references_that_is_gone_is_named_and_comes_back(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs, journal: Callable[[], list[str]]
) -> None:
    await ContainerImages().create(host, wanted)
    runtime.run("images rm docker.io/library/tool:1")
    found = await ContainerImages().read(host, wanted)
    assert found
    assert found == replace(wanted, checksums={**wanted.checksums, "tool": "without docker.io/library/tool:1"})
    await ContainerImages().update(host, found, wanted)
    assert await ContainerImages().read(host, wanted) == wanted
    assert journal() == ["images-import"] * 3


async def test_another_image_in_the_place_of_ours_is_drift(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs
) -> None:
    await ContainerImages().create(host, wanted)
    runtime.lay("other", archive(b"other", "registry.example.org/pause:1"))
    runtime.run(f"images import {IMAGES}/other.tar")
    found = await ContainerImages().read(host, wanted)
    assert found and found.checksums["pause"] == "without registry.example.org/pause:1"
    await ContainerImages().update(host, found, wanted)
    assert await ContainerImages().read(host, wanted) == wanted


async def test_a_runtime_that_was_emptied_shows_every_archive(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs
) -> None:
    assert await ContainerImages().read(host, wanted) == replace(wanted, checksums={})
    await ContainerImages().create(host, wanted)
    runtime.run(f"images rm {' '.join(runtime.names())}")
    found = await ContainerImages().read(host, wanted)
    assert found and found.checksums == {
        "pause": "without registry.example.org/pause:1",
        "tool": "without docker.io/library/tool:1, registry.example.org/tool:1",
    }


async def test_a_new_version_is_imported_and_the_old_one_stays_until_all_go(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs
) -> None:
    await ContainerImages().create(host, wanted)
    newer = runtime.lay("pause", archive(b"pause 2", "registry.example.org/pause:2"))
    asked = replace(wanted, checksums={**wanted.checksums, "pause": newer})
    found = await ContainerImages().read(host, asked)
    assert found
    assert found.checksums == wanted.checksums
    await ContainerImages().update(host, found, asked)
    assert await ContainerImages().read(host, asked) == asked
    # A control plane that cannot be led to the new version goes back to the old one.
    assert {"registry.example.org/pause:1", "registry.example.org/pause:2"} <= set(runtime.names())
    await ContainerImages().delete(host, asked)
    assert runtime.names() == []


async def test_an_image_of_kubernetes_own_archives_has_the_name_that_pods_ask_for(
    host: Host, runtime: Runtime, server: SshServer
) -> None:
    published = archive(b"proxy", f"registry.k8s.io/kube-proxy-{HERE}:v1.34.1", f"registry.example.org/tool-{HERE}:1")
    wanted = inputs_of(server.address, {"proxy": runtime.lay("proxy", published)})
    state = await ContainerImages().create(host, wanted)
    assert runtime.names() == [
        f"registry.example.org/tool-{HERE}:1",
        f"registry.k8s.io/kube-proxy-{HERE}:v1.34.1",
        "registry.k8s.io/kube-proxy:v1.34.1",
    ]
    runtime.run("images rm registry.k8s.io/kube-proxy:v1.34.1")
    found = await ContainerImages().read(host, state)
    assert found and found.checksums == {"proxy": "without registry.k8s.io/kube-proxy:v1.34.1"}
    await ContainerImages().update(host, found, wanted)
    assert await ContainerImages().read(host, wanted) == wanted
    await ContainerImages().delete(host, wanted)
    assert runtime.names() == []


async def test_what_is_asked_for_no_more_goes_unless_something_else_brought_it_too(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs, server: SshServer
) -> None:
    both = archive(b"pause", "registry.example.org/pause:1", "registry.example.org/pause:same")
    more = inputs_of(server.address, {**wanted.checksums, "again": runtime.lay("again", both)})
    await ContainerImages().create(host, more)
    await ContainerImages().update(host, more, wanted)
    assert "registry.example.org/pause:same" not in runtime.names()
    assert await ContainerImages().read(host, wanted) == wanted


async def test_delete_takes_what_was_brought_and_nothing_else(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs
) -> None:
    runtime.lay("other", archive(b"other", "registry.example.org/other:1"))
    runtime.run(f"images import {IMAGES}/other.tar")
    state = await ContainerImages().create(host, wanted)
    await ContainerImages().delete(host, state)
    await ContainerImages().delete(host, state)
    assert runtime.names() == ["registry.example.org/other:1"]
    # The second name of that image alone is left; an image whose second name stayed would fill the disk for ever.
    assert len(runtime.run("images ls --quiet").split()) == 2
    assert runtime.machine.run("ls -d /var/lib/edgehost 2>/dev/null || true") == ""


async def test_a_runtime_that_is_gone_is_no_hindrance_to_delete(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs, log: SilentLog
) -> None:
    state = await ContainerImages().create(host, wanted)
    runtime.machine.run(f"rm {SOCKET}")
    await ContainerImages().delete(host, state)
    assert runtime.machine.run("ls -d /var/lib/edgehost 2>/dev/null || true") == ""
    assert log.lines == []


async def test_a_socket_without_a_runtime_behind_it(
    host: Host, machine: DisposableHost, stopped: Runtime, wanted: ContainerImagesInputs, log: SilentLog
) -> None:
    stopped.start()
    await ContainerImages().create(host, wanted)
    listening = f"import socket; socket.socket(socket.AF_UNIX).bind({SOCKET!r})"
    machine.run(f'rm {SOCKET}; {sys.executable} -W ignore -c "{listening}"')
    found = await ContainerImages().read(host, wanted)
    assert found == replace(wanted, checksums=dict.fromkeys(wanted.checksums, f"nothing answers at {SOCKET}"))
    await ContainerImages().delete(host, wanted)
    assert log.lines == [
        f"edge1 (127.0.0.1): containerd does not answer at {SOCKET}, so these images stay in it: "
        "docker.io/library/tool:1, registry.example.org/pause:1, registry.example.org/tool:1"
    ]


async def test_a_runtime_that_is_just_starting_is_waited_for(
    host: Host, stopped: Runtime, wanted: ContainerImagesInputs
) -> None:
    making = asyncio.create_task(ContainerImages().create(host, wanted))
    await asyncio.sleep(1)
    assert not making.done()
    await asyncio.to_thread(stopped.start)
    assert await making == wanted


async def test_a_runtime_that_does_not_come_is_named(
    host: Host, stopped: Runtime, wanted: ContainerImagesInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_images, "START_SECONDS", 1)
    with pytest.raises(NotReady) as refusal:
        await ContainerImages().create(host, wanted)
    assert str(refusal.value) == (
        f"edge1 (127.0.0.1): {SOCKET}: containerd does not answer within 1 s. No image was imported. "
        f"See `ssh 127.0.0.1 ctr --address {SOCKET} version` and the journal of containerd's unit, then run "
        "`pulumi up` again."
    )


async def test_a_missing_archive_is_named_and_the_others_are_imported(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs
) -> None:
    runtime.machine.run(f"rm {IMAGES}/pause.tar")
    with pytest.raises(CommandFailed) as refusal:
        await ContainerImages().create(host, wanted)
    assert str(refusal.value) == (
        f"edge1 (127.0.0.1): images-import: there is no archive {IMAGES}/pause.tar. Its images cannot be imported "
        "without it. Let the Artifact that brings it come first, then run `pulumi up` again."
    )
    found = await ContainerImages().read(host, wanted)
    assert found and found.checksums == {"tool": wanted.checksums["tool"]}


async def test_another_archive_than_asked_for_is_not_imported(
    host: Host, runtime: Runtime, wanted: ContainerImagesInputs
) -> None:
    with pytest.raises(ChecksumMismatch) as refusal:
        await ContainerImages().create(host, replace(wanted, checksums={**wanted.checksums, "pause": "0" * 64}))
    assert str(refusal.value) == (
        f"edge1 (127.0.0.1): images-import: {IMAGES}/pause.tar has sha256 {wanted.checksums['pause']}, but images of "
        f"{'0' * 64} were asked for. It may be damaged or another version; nothing was imported. Let the Artifact that "
        "brings it have the same sha256 and come first, then run `pulumi up` again."
    )
    assert "registry.example.org/pause:1" not in runtime.names()


@pytest.mark.parametrize("content", [archive(b"x"), b"not an archive"])
async def test_an_archive_without_names_is_refused(
    host: Host, runtime: Runtime, server: SshServer, content: bytes
) -> None:
    with pytest.raises(CommandFailed) as refusal:
        await ContainerImages().create(host, inputs_of(server.address, {"x": runtime.lay("x", content)}))
    assert str(refusal.value) == (
        f"edge1 (127.0.0.1): images-import: {IMAGES}/x.tar names no image in a manifest.json. No pod could ask for "
        "what is in it, so nothing was imported. Make it with `docker save NAME:TAG` or `skopeo copy ... "
        "docker-archive:FILE:NAME:TAG`, not by an image's id."
    )


async def test_an_image_for_another_machine_is_refused(host: Host, runtime: Runtime, server: SshServer) -> None:
    foreign = archive(b"x", "registry.example.org/x:1", architecture=ELSEWHERE)
    with pytest.raises(CommandFailed) as refusal:
        await ContainerImages().create(host, inputs_of(server.address, {"x": runtime.lay("x", foreign)}))
    assert str(refusal.value) == (
        f"edge1 (127.0.0.1): images-import: {IMAGES}/x.tar has no image for this host, which is {platform.machine()}. "
        "What is in it could not run here, so nothing was imported. Correct the architecture of the artifact for this "
        "host, then run `pulumi up` again."
    )


async def test_a_full_disk_is_found_before_the_import(
    host: Host, stopped: Runtime, wanted: ContainerImagesInputs, server: SshServer
) -> None:
    stopped.machine.run(f"mkdir {FOLDER} && mount -t tmpfs -o size=4m tmpfs {FOLDER}")
    stopped.start()
    big = stopped.lay("big", archive(bytes(3 << 20), "registry.example.org/big:1"))
    with pytest.raises(NoSpace, match=rf"6\.0 MiB are needed in {FOLDER}\S*, but [34]\.\d MiB are free"):
        await ContainerImages().create(host, inputs_of(server.address, {"big": big}))
    assert stopped.names() == []


async def test_images_that_do_not_stay_are_named(host: Host, runtime: Runtime, wanted: ContainerImagesInputs) -> None:
    # As the kubelet may do it on a nearly full disk, right after the import.
    asked = BY_HAND.replace(CTR, f"{CTR}-itself")
    collect = f'case "$*" in *" import "*tool.tar) {asked} images rm docker.io/library/tool:1 ;; esac'
    runtime.machine.run(f"mv {CTR} {CTR}-itself")
    runtime.machine.write(CTR, f'#!/bin/sh\n{CTR}-itself "$@" || exit\n{collect}\n')
    runtime.machine.run(f"chmod 755 {CTR}")
    with pytest.raises(CommandFailed) as refusal:
        await ContainerImages().create(host, wanted)
    assert str(refusal.value) == (
        f"edge1 (127.0.0.1): {SOCKET}: images are not in containerd although their archives were imported: tool is "
        "without docker.io/library/tool:1. Pods that need them could not start where nothing can be pulled. The "
        "kubelet removes unused images when the disk is nearly full: look at `ssh 127.0.0.1 df -h`, then run "
        "`pulumi up` again."
    )


async def test_an_import_that_fills_the_disk_leaves_no_half_image(
    host: Host, containerd: Runtime, server: SshServer
) -> None:
    containerd.machine.run(f"mkdir {FOLDER} && mount -t tmpfs -o size=12m tmpfs {FOLDER}")
    containerd.start()
    # The archive is small, what is in it is not.
    packed = archive(bytes(16 << 20), "registry.example.org/big:1", compress=gzip.compress)
    with pytest.raises(NoSpace) as refusal:
        await ContainerImages().create(host, inputs_of(server.address, {"big": containerd.lay("big", packed)}))
    assert str(refusal.value) == (
        "edge1 (127.0.0.1): images-import: a file system of the host is full. The step was not finished; it can be "
        "repeated safely. Free space (`ssh 127.0.0.1 df -h`), then run `pulumi up` again."
    )
    assert containerd.names() == []


def test_a_preview_names_the_archive_and_not_where_it_lies() -> None:
    address = HostAddress(name="edge1", address="127.0.0.1")
    wanted = inputs_of(address, {"kube-proxy": "1" * 64, "etcd": "2" * 64})
    found = replace(wanted, archives={"etcd": "/elsewhere"}, checksums={"kube-proxy": "0" * 64})
    difference = compare(ContainerImages(), adapter.dump(found), adapter.dump(wanted))
    assert {path: diff.kind.name for path, diff in difference.detailed_diff.items()} == {
        'checksums["kube-proxy"]': "UPDATE",
        "checksums.etcd": "ADD",
    }


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"socket": "run/x.sock"}, "socket: 'run/x.sock' is not the absolute path of a file."),
        ({"archives": {"a": "a.tar"}}, "archives: 'a.tar' is not the absolute path of a file."),
        (
            {"archives": {"a": "/a"}, "checksums": {"a": "abc"}},
            "checksums.a: 'abc' is not a sha256 of 64 lower-case hex digits. Without it nobody can tell whether the "
            "runtime has the images of the right archive. Give the sha256 of the Artifact that brings the archive.",
        ),
        (
            {"archives": {"a": "/a", "b": "/b"}},
            "checksums.b: b is not both in `archives` and in `checksums`. An archive needs its path and its sha256. "
            "Add it to the other one, or take it out.",
        ),
        (
            {"archives": {"../a": "/a"}, "checksums": {"../a": "0" * 64}},
            "archives: '../a' is not a name for an archive. The host's record of what it brought is a file of that "
            "name. Use lower-case letters, digits, - and ., and begin with a letter or a digit.",
        ),
    ],
)
def test_arguments_that_cannot_be_right(change: dict[str, object], said: str) -> None:
    right = inputs_of(HostAddress(name="edge1", address="127.0.0.1"), {"a": "0" * 64})
    problems = ContainerImages().check(replace(right, **change))  # type: ignore[arg-type]
    assert [str(problem)[: len(said)] for problem in problems] == [said]

"""Images in the table of artifacts, and the smallest of them at work."""

import json
import os
import shutil
import signal
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from toolchain import cache, index, recipes
from toolchain.images import __main__ as command
from toolchain.images import debian, layer, pause
from toolchain.images.archive import Settings
from toolchain.images.build import build, find
from toolchain.images.catalogue import CATALOGUE
from toolchain.images.errors import CompileError, PackageError
from toolchain.images.image import Image

HOST = cache.host_architecture()


def image_with(content: str) -> Image:
    def fill(tree: Path) -> str:
        (tree / "file").write_text(content)
        return content

    return Image(
        name="little",
        repository="kubevc.io/little",
        version=lambda: "0.1.0",
        content_versioned=True,
        layers=lambda architecture: [
            layer.make("content", f"{architecture}{content}".encode().hex().ljust(32, "0"), fill)
        ],
        settings=Settings(entrypoint=("/file",), labels={"content": content}),
    )


def test_an_image_is_in_the_table_with_its_reference() -> None:
    artifact = build(image_with("a"), "amd64")
    assert artifact.image == f"kubevc.io/little:{artifact.version}"
    (row,) = index.entries()
    assert row["name"] == "image-little"
    assert row["image"] == artifact.image
    assert row["url"] == f"image-little/{artifact.version}/amd64/little.tar"
    assert row["sha256"] == index.sha256(artifact.path)


def test_another_content_has_another_version_and_takes_the_place_of_the_old_row() -> None:
    old, new = build(image_with("a"), "amd64"), build(image_with("b"), "amd64")
    assert old.version != new.version
    assert [row["version"] for row in index.entries()] == [new.version]
    assert old.path.exists()


def test_going_back_gives_the_old_version_again() -> None:
    old = build(image_with("a"), "amd64")
    build(image_with("b"), "amd64")
    assert build(image_with("a"), "amd64") == old


def test_old_archives_do_not_pile_up() -> None:
    artifacts = [build(image_with(content), "amd64") for content in "abcde"]
    assert [artifact.path.exists() for artifact in artifacts] == [False, False, False, True, True]


def test_all_architectures_have_one_reference() -> None:
    artifacts = [build(image_with("a"), architecture) for architecture in ("amd64", "arm64")]
    assert len({artifact.image for artifact in artifacts}) == 1
    assert [row["architecture"] for row in index.entries()] == ["amd64", "arm64"]


def test_a_current_image_is_found_without_making_it() -> None:
    image = image_with("a")
    assert find(image, "amd64") is None
    artifact = build(image, "amd64")
    assert find(image, "amd64") == artifact
    assert find(image, "arm64") is None
    assert find(replace(image, settings=Settings(entrypoint=("/other",))), "amd64") is None


def test_a_removed_archive_is_noticed() -> None:
    artifact = build(image_with("a"), "amd64")
    artifact.path.unlink()
    assert find(image_with("a"), "amd64") is None


def test_the_references_are_those_that_k3s_kubeadm_and_the_program_name() -> None:
    named = {image.name: names_of(image) for image in CATALOGUE if not image.content_versioned}
    assert named == {
        "pause": ["docker.io/rancher/mirrored-pause:3.6", "registry.k8s.io/pause:3.10.1"],
        "coredns": [
            f"registry.k8s.io/coredns/coredns:v{recipes.table()['coredns'].version}",
            "docker.io/rancher/mirrored-coredns-coredns:1.9.4",
        ],
        "kube-apiserver": ["registry.k8s.io/kube-apiserver:v1.34.1"],
        "kube-controller-manager": ["registry.k8s.io/kube-controller-manager:v1.34.1"],
        "kube-scheduler": ["registry.k8s.io/kube-scheduler:v1.34.1"],
        "kube-proxy": ["registry.k8s.io/kube-proxy:v1.34.1"],
        "etcd": [f"registry.k8s.io/etcd:{recipes.table()['etcd'].version}-0"],
        "flannel": ["ghcr.io/flannel-io/flannel:v0.28.4"],
        "kube-router": ["docker.io/cloudnativelabs/kube-router:v2.1.0"],
    }
    assert {image.name: image.repository for image in CATALOGUE if image.content_versioned} == {
        "proxy": "kubevc.io/proxy",
        "modelserver": "kubevc.io/modelserver",
    }


def names_of(image: Image) -> list[str]:
    return [f"{image.repository}:{image.tag or image.version()}", *image.also_named]


def test_further_names_are_in_the_archive_and_the_first_one_in_the_table() -> None:
    artifact = build(replace(image_with("a"), also_named=("registry.k8s.io/little:1",)), "amd64")
    with tarfile.open(artifact.path) as content:
        file = content.extractfile("manifest.json")
        assert file
        (manifest,) = json.load(file)
    assert manifest["RepoTags"] == [artifact.image, "registry.k8s.io/little:1"]
    assert [row["image"] for row in index.entries()] == [artifact.image]


@pytest.mark.parametrize("name", ["proxy", "modelserver"])
def test_our_own_programs_run_as_nobody(name: str) -> None:
    (image,) = (image for image in CATALOGUE if image.name == name)
    assert image.settings.user == "65534:65534"
    assert image.settings.entrypoint == ("python3", "-m", name)


@pytest.fixture
def pause_program(tmp_path: Path) -> Path:
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed")
    (only,) = pause.layers(HOST)
    with tarfile.open(only.path) as content:
        content.extractall(tmp_path, filter="data")
    return tmp_path / "pause"


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_pause_outlives_its_children_and_ends_when_told(pause_program: Path, ending: signal.Signals) -> None:
    with subprocess.Popen([pause_program]) as running:
        os.kill(running.pid, signal.SIGCHLD)
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.2)
        os.kill(running.pid, ending)
        assert running.wait(5) == 0


def test_pause_ends_at_once_where_only_its_version_is_asked(pause_program: Path) -> None:
    # kubeadm's check before an upgrade waits 15 s for a job with this argument to end.
    assert subprocess.run([pause_program, "-v"], stdout=subprocess.PIPE, timeout=5, check=True).stdout


def test_pause_for_a_machine_without_a_compiler_names_the_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CompileError) as refused:
        pause.layers("armhf")
    assert str(refused.value) == (
        "arm-linux-gnueabihf-gcc: the program is not on PATH\n"
        "  why it matters: the pause image holds this one program\n"
        "  what to do: install the compiler (Debian: apt-get install crossbuild-essential-armhf)"
    )


def test_a_debian_mirror_that_does_not_answer_is_told_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not shutil.which("apt-get"):
        pytest.skip("apt is not installed")
    monkeypatch.setenv("KUBEVC_DEBIAN_MIRROR", "http://127.0.0.1:9/debian")
    with pytest.raises(PackageError) as refused:
        debian.download(["base-files"], "amd64", tmp_path)
    assert str(refused.value).endswith(
        "  why it matters: the images' lowest layers come from Debian 12 packages\n"
        "  what to do: check that `apt-get update` works here, "
        "or set KUBEVC_DEBIAN_MIRROR to the address of a Debian mirror"
    )


def test_an_unknown_image_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["proxi"])
    assert (
        "no image is named proxi; there are: pause, coredns, proxy, modelserver, kube-apiserver, "
        in capsys.readouterr().err
    )


def test_an_architecture_without_wheels_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["pause", "proxy", "etcd", "--architecture", "armhf"])
    assert (
        "not for armhf: proxy, etcd (OpenVINO and others have no wheels for it, Kubernetes ended it with 1.27)\n"
    ) in capsys.readouterr().err

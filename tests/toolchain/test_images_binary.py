"""Images around one static binary, and what the set-up makes of them."""

import json
import tarfile
from pathlib import Path

import pytest

from toolchain import images, index, recipes, steps
from toolchain.images import binary
from toolchain.images.archive import Settings
from toolchain.images.catalogue import CATALOGUE
from toolchain.images.image import Image

CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
KUBERNETES = (*CONTROL_PLANE[:3], "kube-proxy")


def built(key: str, architecture: str = "amd64", content: str = "a program") -> Path:
    """Put a result of a recipe into the cache, as if it had been built."""
    path = recipes.table()[key].result(architecture)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def files(path: Path) -> dict[str, int]:
    with tarfile.open(path) as content:
        return {entry.name: entry.mode for entry in content if not entry.isdir()}


def named(name: str) -> Image:
    (image,) = (image for image in CATALOGUE if image.name == name)
    return image


def test_the_binary_is_alone_in_the_image_and_may_be_run() -> None:
    built("etcd")
    (layer,) = binary.layers("etcd", "/usr/local/bin/etcd", None, "amd64")
    assert files(layer.path) == {"usr/local/bin/etcd": 0o755}


def test_the_image_s_version_is_the_binary_s() -> None:
    image = binary.image("etcd", "example.com/etcd", place="/usr/local/bin")
    assert image.version() == recipes.table()["etcd"].version
    assert image.recipe == "etcd"


def test_a_binary_that_was_built_again_gives_another_layer_of_the_same_identity() -> None:
    path = built("etcd")
    (old,) = binary.layers("etcd", "/etcd", None, "amd64")
    path.write_text("another program")
    (new,) = binary.layers("etcd", "/etcd", None, "amd64")
    assert old.sha256 != new.sha256
    assert old.identity == new.identity == recipes.table()["etcd"].fingerprint


def test_architectures_have_layers_of_their_own() -> None:
    built("etcd", "amd64", "for amd64")
    built("etcd", "arm64", "for arm64")
    (one,), (other,) = (binary.layers("etcd", "/etcd", None, architecture) for architecture in ("amd64", "arm64"))
    assert one.sha256 != other.sha256


@pytest.mark.parametrize("name", CONTROL_PLANE)
def test_static_pods_find_their_program_by_its_name_alone(name: str) -> None:
    settings = named(name).settings
    assert settings.entrypoint == (f"/usr/local/bin/{name}",)
    assert "/usr/local/bin" in settings.environment["PATH"].split(":")


@pytest.mark.parametrize("name", ["kube-proxy", "flannel", "kube-router"])
def test_what_writes_firewall_rules_finds_iptables(name: str) -> None:
    assert "/usr/sbin" in named(name).settings.environment["PATH"].split(":")


@pytest.mark.parametrize("name", [*CONTROL_PLANE, "kube-proxy", "flannel", "kube-router"])
def test_kubeadm_s_pods_run_as_root(name: str) -> None:
    assert named(name).settings.user == Settings(entrypoint=()).user == "0:0"


def test_the_programs_are_where_the_manifests_start_them() -> None:
    assert named("kube-proxy").settings.entrypoint == ("/usr/local/bin/kube-proxy",)
    assert named("flannel").settings.entrypoint == ("/opt/bin/flanneld",)
    assert named("coredns").settings.entrypoint == ("/coredns",)


def test_the_set_up_makes_what_k3s_needs_first_and_kubeadm_s_part_last() -> None:
    names = [step.name for step in steps.lab_steps(["amd64"])]
    kubernetes = recipes.table()["kubernetes/kubeadm"].version
    assert names[:3] == ["k3s v1.26.2+k3s1 for amd64", "flannel-cni v0.9.1 for amd64", "image pause for amd64"]
    own = names[names.index(f"kubeadm {kubernetes} for amd64") :]
    assert own == [
        *(f"{name} {kubernetes} for amd64" for name in ("kubeadm", "kubelet", "kubectl")),
        *(f"image {name} for amd64" for name in (*KUBERNETES, "etcd", "flannel", "kube-router")),
    ]


def test_the_set_up_for_k3s_sites_alone_leaves_kubeadm_s_part_out() -> None:
    every = [step.name for step in steps.lab_steps(["amd64", "arm64"])]
    k3s = [step.name for step in steps.lab_steps(["amd64", "arm64"], kubeadm=False)]
    assert k3s == every[: len(k3s)]
    assert not [name for name in k3s if "kube" in name or "etcd" in name]


def test_the_earlier_kubernetes_is_made_when_asked_for_alone_under_the_same_names() -> None:
    earlier = steps.earlier_kubernetes_steps(["amd64"])
    version = recipes.table()[f"{recipes.EARLIER_KUBERNETES}/kubeadm"].version
    assert [step.name for step in earlier] == [
        *(f"{name} {version} for amd64" for name in ("kubeadm", "kubelet", "kubectl")),
        *(f"image {name} for amd64" for name in KUBERNETES),
    ]
    made = [step.image for step in images.earlier_kubernetes_steps("amd64")]
    assert {image.version() for image in made} == {version}
    assert [image.name for image in made] == [image.name for image in CATALOGUE if image.name in KUBERNETES]
    assert not {step.name for step in steps.lab_steps(["amd64"])} & {step.name for step in earlier[:3]}


def test_two_versions_of_an_image_are_two_rows() -> None:
    for release in ("kubernetes", recipes.EARLIER_KUBERNETES):
        built(f"{release}/kube-scheduler")
    for step in (*images.kubeadm_steps("amd64"), *images.earlier_kubernetes_steps("amd64")):
        if step.image.name == "kube-scheduler":
            step.run()
            assert step.is_done()
    assert [row["version"] for row in index.entries()] == ["v1.33.5", "v1.34.1"]


def test_armhf_has_nothing_of_kubeadm() -> None:
    names = [step.name for step in steps.lab_steps(["armhf"])]
    assert "k3s v1.26.2+k3s1 for armhf" in names
    assert not [name for name in names if "kube" in name or "etcd" in name]


def test_another_recipe_makes_an_image_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    (etcd,) = (step for step in images.kubeadm_steps("amd64") if step.image.name == "etcd")
    built("etcd")
    etcd.run()
    assert etcd.is_done()
    changed = {**recipes.table(), "etcd": recipes.table()["kubernetes/kubelet"]}
    monkeypatch.setattr(recipes, "table", lambda: changed)
    assert not etcd.is_done()


def test_an_image_lists_where_its_binary_comes_from() -> None:
    built("flannel")
    own = binary.layers("flannel", "/opt/bin/flanneld", None, "amd64")[-1]
    assert own.title == "flannel v0.28.4"
    assert json.loads(own.path.with_suffix(".json").read_text())["identity"] == recipes.table()["flannel"].fingerprint

"""Where the publishers keep their files, and which requests are understood."""

import pytest

from components.artifacts import ArtifactSource
from components.pinning.errors import PinError
from components.pinning.releases import RELEASES, Upstream, wanted
from components.site import OFFICIAL_TABLE

GITHUB = "https://github.com"
PLACES = {
    "k3s=v1.34.3+k3s1": [
        f"{GITHUB}/k3s-io/k3s/releases/download/v1.34.3%2Bk3s1/k3s",
        f"{GITHUB}/k3s-io/k3s/releases/download/v1.34.3%2Bk3s1/k3s-arm64",
        f"{GITHUB}/k3s-io/k3s/releases/download/v1.34.3%2Bk3s1/k3s-armhf",
    ],
    "kubeadm=v1.34.1": [
        f"https://dl.k8s.io/release/v1.34.1/bin/linux/{architecture}/{name}"
        for architecture in ("amd64", "arm64", "arm")
        for name in ("kubeadm", "kubelet", "kubectl")
    ],
    "kubernetes-images=v1.34.1": [
        f"https://dl.k8s.io/release/v1.34.1/bin/linux/{architecture}/{name}.tar"
        for architecture in ("amd64", "arm64", "arm")
        for name in ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler")
    ],
    "containerd=v1.7.28": [
        f"{GITHUB}/containerd/containerd/releases/download/v1.7.28/containerd-1.7.28-linux-{architecture}.tar.gz"
        for architecture in ("amd64", "arm64", "arm")
    ],
    "runc=v1.3.3": [
        f"{GITHUB}/opencontainers/runc/releases/download/v1.3.3/runc.{architecture}"
        for architecture in ("amd64", "arm64", "armhf")
    ],
    "cni-plugins=v1.8.0": [
        f"{GITHUB}/containernetworking/plugins/releases/download/v1.8.0/cni-plugins-linux-{architecture}-v1.8.0.tgz"
        for architecture in ("amd64", "arm64", "arm")
    ],
    "flannel-cni=v1.9.1-flannel1": [
        f"{GITHUB}/flannel-io/cni-plugin/releases/download/v1.9.1-flannel1/flannel-{architecture}"
        for architecture in ("amd64", "arm64", "arm")
    ],
}


def test_every_release_has_its_places_listed_here() -> None:
    assert {request.split("=")[0] for request in PLACES} == set(RELEASES)


@pytest.mark.parametrize("request_text", PLACES)
def test_files_lie_where_the_publisher_keeps_them(request_text: str) -> None:
    release, version = wanted(request_text)
    assert [file.url for file in release.files(Upstream(), version)] == PLACES[request_text]


@pytest.mark.parametrize("release", RELEASES.values(), ids=RELEASES)
def test_the_example_of_a_version_has_the_form_that_is_asked_for(release: object) -> None:
    name = next(name for name, known in RELEASES.items() if known is release)
    assert wanted(f"{name}={RELEASES[name].example}") == (release, RELEASES[name].example)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(PinError) as refused:
        wanted("docker=v28.0.0")
    assert str(refused.value) == (
        "NAME=VERSION\n"
        '    found: "docker=v28.0.0"\n'
        "    why:   Where a publisher keeps its checksums is known for some names only.\n"
        "    fix:   Use one of k3s, kubeadm, kubernetes-images, containerd, runc, cni-plugins, flannel-cni, "
        "such as kubeadm=v1.34.1."
    )


@pytest.mark.parametrize(
    "request_text", ["kubeadm=", "kubeadm", "kubeadm=1.34.1", "kubeadm=v1.34", "kubeadm=v1.34.1/..", "k3s=v1.34.3"]
)
def test_a_version_that_is_no_tag_is_refused_with_an_example(request_text: str) -> None:
    with pytest.raises(PinError) as refused:
        wanted(request_text)
    name, _, version = request_text.partition("=")
    assert str(refused.value) == (
        f"{name}\n"
        f'    found: version "{version}"\n'
        "    why:   The version becomes a part of the publisher's addresses.\n"
        f"    fix:   Write it as the publisher's tag: {name}={RELEASES[name].example}"
    )


@pytest.mark.parametrize("version", ["v1.33.5", "v1.34.1"])
@pytest.mark.parametrize("name", ["kubeadm", "kubelet", "kubectl"])
def test_the_official_table_has_kubernetes_where_its_publisher_keeps_it(name: str, version: str) -> None:
    source = ArtifactSource.read([OFFICIAL_TABLE], None)
    release, _ = wanted(f"kubeadm={version}")
    places = {(file.name, file.architecture): file.url for file in release.files(Upstream(), version)}
    assert source.architectures(name, version) == ["amd64", "arm64"]
    for architecture in ("amd64", "arm64"):
        assert source.locate(name, version, architecture).url == places[name, architecture]

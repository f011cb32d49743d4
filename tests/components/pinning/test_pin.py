"""`make pin` against publishers on loopback: what is written, what is said, what is refused."""

import io
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from components.artifacts import read_table
from tests.components.pinning.conftest import Publisher

ROOT = Path(__file__).resolve().parents[3]
K3S = "k3s-io/k3s/releases/download/v1.34.3+k3s1"
ASKED_K3S = K3S.replace("+", "%2B")
Pin = Callable[..., int]


def rows(table: Path) -> dict[str, str | None]:
    return {entry.identity: entry.sha256 for entry in read_table(table).entries}


def publish_k3s(publisher: Publisher) -> dict[str, str]:
    sums = {}
    for architecture, go_name, file in (
        ("amd64", "amd64", "k3s"),
        ("arm64", "arm64", "k3s-arm64"),
        ("armhf", "arm", "k3s-armhf"),
    ):
        checksum = publisher.put(f"{K3S}/{file}", f"k3s for {architecture}")
        other = f"{'ab' * 32}  k3s-airgap-images-{go_name}.tar.zst\n"
        publisher.put(f"{K3S}/sha256sum-{go_name}.txt", f"{other}{checksum}  {file}\n")
        sums[f"k3s v1.34.3+k3s1 {architecture}"] = checksum
    return sums


def test_a_release_of_k3s_becomes_a_row_for_each_architecture(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sums = publish_k3s(publisher)
    text, before = table.read_text(), rows(table)
    assert pin("k3s=v1.34.3+k3s1") == 0
    assert rows(table) == before | sums
    assert table.read_text().startswith(text)
    base = f"{publisher.url}/{ASKED_K3S}"
    origins = {"amd64": "sha256sum-amd64.txt", "arm64": "sha256sum-arm64.txt", "armhf": "sha256sum-arm.txt"}
    assert capsys.readouterr().out.splitlines() == [
        *(
            f"{identity}: {sums[identity]} from {base}/{origins[identity.split()[-1]]} (a list without signature)"
            for identity in sums
        ),
        f"{table}: 3 rows written, 0 there already.",
    ]
    assert {path.split("/")[-1] for path in publisher.asked} == set(origins.values())  # No binary was fetched.


def test_a_second_run_changes_nothing(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_k3s(publisher)
    assert pin("k3s=v1.34.3+k3s1") == 0
    first, stamp = table.read_bytes(), table.stat().st_mtime_ns
    assert pin("k3s=v1.34.3+k3s1") == 0
    assert (table.read_bytes(), table.stat().st_mtime_ns) == (first, stamp)
    assert capsys.readouterr().out.endswith(f"{table}: 0 rows written, 3 there already.\n")


def test_a_file_that_its_publisher_replaced_is_refused_and_nothing_is_written(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sums = publish_k3s(publisher)
    assert pin("k3s=v1.34.3+k3s1") == 0
    before = table.read_bytes()
    publisher.put(f"{K3S}/sha256sum-arm64.txt", f"{'cd' * 32}  k3s-arm64\n")
    assert pin("k3s=v1.34.3+k3s1") == 1
    assert capsys.readouterr().err == (
        f"{table}: k3s v1.34.3+k3s1 arm64\n"
        f"    found: sha256 {sums['k3s v1.34.3+k3s1 arm64']}, and the publisher now says {'cd' * 32}\n"
        "    why:   A published file never changes: somebody replaced it, or the row was wrong. Nothing was written.\n"
        "    fix:   Ask a second source which is right; if it is the publisher, delete the row and run this again.\n"
    )
    assert table.read_bytes() == before


@pytest.mark.usefixtures("without_programs")
def test_an_image_archive_is_pinned_with_the_name_that_pods_ask_for(
    publisher: Publisher, pin: Pin, table: Path
) -> None:
    for name in ("kube-apiserver", "kube-controller-manager", "kube-proxy", "kube-scheduler"):
        checksum = publisher.put(f"release/v1.34.1/bin/linux/amd64/{name}.tar", name)
        publisher.put(f"release/v1.34.1/bin/linux/amd64/{name}.tar.sha256", checksum)
    assert pin("kubernetes-images=v1.34.1") == 0
    images = {entry.name: entry.image for entry in read_table(table).entries if entry.name.startswith("image-kube-")}
    assert images == {
        "image-kube-apiserver": "registry.k8s.io/kube-apiserver:v1.34.1",
        "image-kube-controller-manager": "registry.k8s.io/kube-controller-manager:v1.34.1",
        "image-kube-proxy": "registry.k8s.io/kube-proxy:v1.34.1",
        "image-kube-scheduler": "registry.k8s.io/kube-scheduler:v1.34.1",
    }


def publish_kubernetes(publisher: Publisher, go_name: str, architecture: str) -> dict[str, str]:
    sums = {}
    for name in ("kubeadm", "kubelet", "kubectl"):
        path = f"release/v1.34.1/bin/linux/{go_name}/{name}"
        sums[f"{name} v1.34.1 {architecture}"] = checksum = publisher.put(path, f"{name} for {architecture}")
        publisher.put(f"{path}.sha256", checksum)
        publisher.put(f"{path}.sig", f"signed {checksum}")
        signer = "krel-staging@k8s-releng-prod.iam.gserviceaccount.com https://accounts.google.com"
        publisher.put(f"{path}.cert", signer)
    return sums


@pytest.mark.usefixtures("without_programs")
def test_without_cosign_kubernetes_is_pinned_and_the_missing_proof_is_told(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sums = publish_kubernetes(publisher, "amd64", "amd64") | publish_kubernetes(publisher, "arm64", "arm64")
    # What Kubernetes has for 32 bits since v1.27: kubectl alone.
    publisher.put("release/v1.34.1/bin/linux/arm/kubectl.sha256", "ef" * 32)
    before = rows(table)
    assert pin("kubeadm=v1.34.1") == 0
    assert rows(table) == before | sums
    said = capsys.readouterr().out.splitlines()
    base = f"{publisher.url}/release/v1.34.1/bin/linux"
    assert said[0] == (
        f"kubeadm v1.34.1 amd64: {sums['kubeadm v1.34.1 amd64']} from {base}/amd64/kubeadm.sha256 "
        "(SIGNATURE NOT VERIFIED: cosign is not installed)"
    )
    assert said[6] == f"kubeadm=v1.34.1 armhf: no row; {base}/arm/kubeadm.sha256: the answer 404"
    assert said[7] == f"{table}: 6 rows written, 0 there already."


@pytest.mark.usefixtures("without_programs")
def test_required_signatures_that_cannot_be_verified_are_refused(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_kubernetes(publisher, "amd64", "amd64")
    before = table.read_bytes()
    assert pin("--require-signatures", "kubeadm=v1.34.1") == 1
    assert capsys.readouterr().err == (
        f"{publisher.url}/release/v1.34.1/bin/linux/amd64/kubeadm\n"
        "    found: a signature that was not verified: cosign is not installed\n"
        "    why:   Signatures are required (--require-signatures). Nothing was written.\n"
        "    fix:   Install cosign, and run this again.\n"
    )
    assert table.read_bytes() == before


@pytest.mark.usefixtures("cosign")
def test_with_cosign_each_binary_of_kubernetes_is_fetched_and_verified(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_kubernetes(publisher, "amd64", "amd64")
    assert pin("--require-signatures", "kubeadm=v1.34.1") == 0
    assert (
        capsys.readouterr()
        .out.splitlines()[2]
        .endswith(
            f"from {publisher.url}/release/v1.34.1/bin/linux/amd64/kubectl.sha256 "
            "(signature of krel-staging@k8s-releng-prod.iam.gserviceaccount.com verified by cosign)"
        )
    )
    assert "kubectl v1.34.1 amd64" in rows(table)


@pytest.mark.usefixtures("cosign")
@pytest.mark.parametrize(
    ("part", "content"),
    [
        ("sig", f"signed {'00' * 32}"),
        ("cert", "somebody@example.org https://accounts.google.com"),
        ("cert", "krel-staging@k8s-releng-prod.iam.gserviceaccount.com https://accounts.example.org"),
    ],
    ids=["another-file", "another-signer", "another-issuer"],
)
def test_a_signature_that_cosign_refuses_ends_the_run(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str], part: str, content: str
) -> None:
    publish_kubernetes(publisher, "amd64", "amd64")
    publisher.put(f"release/v1.34.1/bin/linux/amd64/kubelet.{part}", content)
    before = table.read_bytes()
    assert pin("kubeadm=v1.34.1") == 1
    assert capsys.readouterr().err == (
        f"{publisher.url}/release/v1.34.1/bin/linux/amd64/kubelet\n"
        "    found: a signature that cosign refuses: Error: no matching signatures\n"
        "    why:   The publisher signs its files; what it has not signed may be from anybody. Nothing was written.\n"
        "    fix:   Try again; if it stays so, ask the publisher. Who is expected to sign: docs/pinning.md.\n"
    )
    assert table.read_bytes() == before


@pytest.mark.usefixtures("cosign")
def test_a_binary_that_differs_from_its_checksum_is_refused(
    publisher: Publisher, pin: Pin, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_kubernetes(publisher, "amd64", "amd64")
    path = "release/v1.34.1/bin/linux/amd64/kubeadm"
    came = publisher.put(path, "something else")
    publisher.put(f"{path}.sig", f"signed {came}")
    assert pin("kubeadm=v1.34.1") == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{publisher.url}/{path}\n    found: a file with sha256 {came}\n")
    assert f"{publisher.url}/{path}.sha256 says " in said


@pytest.mark.usefixtures("cosign")
def test_a_binary_older_than_the_signatures_is_pinned_and_that_is_told(
    publisher: Publisher, pin: Pin, capsys: pytest.CaptureFixture[str]
) -> None:
    publish_kubernetes(publisher, "amd64", "amd64")
    path = "release/v1.34.1/bin/linux/amd64/kubeadm.sig"
    (publisher.folder / path).unlink()
    assert pin("kubeadm=v1.34.1") == 0
    assert f"(SIGNATURE NOT VERIFIED: nothing at {publisher.url}/{path})" in capsys.readouterr().out


def test_a_version_that_nobody_published_is_refused_with_its_address(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = table.read_bytes()
    assert pin("kubeadm=v1.99.0") == 1
    assert capsys.readouterr().err == (
        f"{publisher.url}/release/v1.99.0/bin/linux/amd64/kubeadm.sha256\n"
        "    found: the answer 404\n"
        "    why:   The publisher has no such file.\n"
        "    fix:   Check the version at the publisher; it is written as in its tag, with the leading v.\n"
    )
    assert table.read_bytes() == before


def test_several_releases_are_written_together_or_not_at_all(publisher: Publisher, pin: Pin, table: Path) -> None:
    publish_k3s(publisher)
    before = table.read_bytes()
    assert pin("k3s=v1.34.3+k3s1", "cni-plugins=v1.8.0") == 1
    assert table.read_bytes() == before
    base = "containernetworking/plugins/releases/download/v1.8.0/cni-plugins-linux-arm-v1.8.0.tgz"
    publisher.put(f"{base}.sha256", f"{'c2' * 32}  cni-plugins-linux-arm-v1.8.0.tgz\n")
    assert pin("k3s=v1.34.3+k3s1", "cni-plugins=v1.8.0", "k3s=v1.34.3+k3s1") == 0
    assert rows(table)["cni-plugins v1.8.0 armhf"] == "c2" * 32
    assert len(read_table(table).entries) == 5


FLANNEL = "flannel-io/cni-plugin/releases/download/v1.9.1-flannel1"


def publish_flannel(publisher: Publisher, packed: bytes, plain: bytes, tag: str) -> str:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("flannel-amd64")
        member.size = len(packed)
        tar.addfile(member, io.BytesIO(packed))
    name = f"cni-plugin-flannel-linux-amd64-{tag}.tgz"
    checksum = publisher.put(f"{FLANNEL}/{name}", archive.getvalue())
    publisher.put(f"{FLANNEL}/{name}.sha256", f"{checksum}  {name}\n")
    return publisher.put(f"{FLANNEL}/flannel-amd64", plain)


@pytest.mark.parametrize("tag", ["v1.9.1-flannel1", "v1.9.1"])
def test_flannels_plain_binary_is_the_one_of_its_checked_archive(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str], tag: str
) -> None:
    checksum = publish_flannel(publisher, b"delegate", b"delegate", tag)
    assert pin("flannel-cni=v1.9.1-flannel1") == 0
    row = read_table(table).entries[-1]
    assert (row.identity, row.sha256) == ("flannel-cni v1.9.1-flannel1 amd64", checksum)
    assert (row.url, row.checksums_url) == (f"{publisher.url}/{FLANNEL}/flannel-amd64", None)
    archive = f"{publisher.url}/{FLANNEL}/cni-plugin-flannel-linux-amd64-{tag}.tgz"
    assert f"the same file as in {archive}, whose checksum is from {archive}.sha256" in capsys.readouterr().out


def test_a_plain_binary_that_is_not_the_archives_is_refused(
    publisher: Publisher, pin: Pin, capsys: pytest.CaptureFixture[str]
) -> None:
    came = publish_flannel(publisher, b"delegate", b"another one", "v1.9.1")
    assert pin("flannel-cni=v1.9.1-flannel1") == 1
    assert capsys.readouterr().err.startswith(
        f"{publisher.url}/{FLANNEL}/flannel-amd64\n    found: a file with sha256 {came}\n"
    )


def test_rows_without_a_checksum_are_completed_from_their_list(
    publisher: Publisher, pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checksum = publisher.put("tool-arm64", "a tool")
    publisher.put("sums.txt", f"{'3c' * 32}  tool\n{checksum} *folder/tool-arm64\n")
    listed = f'url: "{publisher.url}/tool-arm64", checksums-url: "{publisher.url}/sums.txt"'
    table.write_text(
        "# A comment that stays.\nartifacts:\n"
        f'  - {{name: tool, version: "1", architecture: arm64, {listed}}}\n'
        f'  - {{name: other, version: "1", architecture: any, url: "{publisher.url}/tool-arm64"}}\n'
    )
    assert pin() == 0
    assert rows(table) == {"tool 1 arm64": checksum, "other 1 any": checksum}
    assert table.read_text().startswith("# A comment that stays.\n")
    assert capsys.readouterr().out.splitlines() == [
        f"tool 1 arm64: {checksum} from {publisher.url}/sums.txt (a list without signature)",
        f"other 1 any: {checksum} computed from what {publisher.url}/tool-arm64 gave now; "
        "compare it with another source",
        f"{table}: 2 rows completed.",
    ]
    assert pin() == 0
    assert "no row lacks a sha256" in capsys.readouterr().out


def test_a_row_below_a_mirror_is_not_asked_for(pin: Pin, table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table.write_text("artifacts:\n  - {name: tool, version: v1, architecture: any, url: tool/v1}\n")
    assert pin() == 1
    assert capsys.readouterr().err == (
        f"{table}: tool v1 any\n"
        "    found: tool/v1, which is below a mirror or beside the table\n"
        "    why:   There is no publisher to ask.\n"
        f"    fix:   Add by hand what this prints: sha256sum {table.parent / 'tool/v1'}\n"
    )


def test_the_verb_hands_its_variables_on() -> None:
    variables = ["DISTRIBUTION=kubeadm", "VERSION=v1.34.1", "WITH=runc=v1.3.3", "KEYRING=keys", "SIGNATURES=required"]
    shown = subprocess.run(
        ["make", "--dry-run", "pin", *variables], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert " ".join(shown.replace("\\\n", " ").split()).endswith(
        '-m components.pinning --table "components/artifacts.lock.yaml" --runc-keyring "keys" '
        '--require-signatures "kubeadm=v1.34.1" runc=v1.3.3'
    )

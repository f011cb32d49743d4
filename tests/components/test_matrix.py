"""The matrix of architectures: what is refused, in which words and when; and where workloads may run."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from components.architecture_rules import DISTRIBUTION_ARCHITECTURES
from components.errors import Problem, SiteFileError
from components.frameworks import FRAMEWORKS
from components.load import PROJECT, LoadedSite
from components.matrix import problems_of_the_hosts
from components.rules import broken_rules
from components.site import OFFICIAL_TABLE, parse
from components.workloads import PROXY_ARCHITECTURES
from tests.components.recording import record
from toolchain.images.catalogue import CATALOGUE

Load = Callable[[dict[str, Any]], LoadedSite]
ARCHITECTURES = ("amd64", "arm64", "armhf")
PAGE = PROJECT / "docs" / "architectures.md"


def node(name: str, address: int, role: str = "agent", **more: Any) -> dict[str, Any]:
    """Return a node of a site."""
    return {"name": name, "address": f"192.0.2.{address}", "role": role, **more}


def add_rows(machine: Path, *rows: dict[str, Any]) -> None:
    """Add rows to the site's table."""
    path = machine / "table.yaml"
    table = yaml.safe_load(path.read_text())
    table["artifacts"] += [{"url": "file", "sha256": "0" * 64, **row} for row in rows]
    path.write_text(yaml.safe_dump(table))


def drop_rows(machine: Path, name: str, architecture: str) -> None:
    """Take the rows of an artifact and architecture out of the site's table."""
    path = machine / "table.yaml"
    rows = yaml.safe_load(path.read_text())["artifacts"]
    kept = [row for row in rows if (row["name"], row["architecture"]) != (name, architecture)]
    assert len(kept) < len(rows)
    path.write_text(yaml.safe_dump({"artifacts": kept}))


def refusal(load: Load, data: dict[str, Any]) -> list[Problem]:
    """Return the problems with which a site's file is refused."""
    with pytest.raises(SiteFileError) as refused:
        load(data)
    return list(refused.value.problems)


def architectures_of(graph: Any, deployment: str) -> list[str]:
    """Return the architectures of the nodes that a Deployment's pods may run on, by Kubernetes' names."""
    affinity = graph.named(deployment).inputs["spec"]["template"]["spec"]["affinity"]
    (term,) = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    (expression,) = [found for found in term["matchExpressions"] if found["key"] == "kubernetes.io/arch"]
    assert expression["operator"] == "In"
    return expression["values"]


def test_everything_that_a_node_lacks_is_told_at_once(machine: Path, site_data: dict[str, Any], load: Load) -> None:
    for name in ("flannel-cni", "image-pause", "image-proxy"):
        drop_rows(machine, name, "arm64")
    site_data["nodes"] += [node("edge2", 13, architecture="arm64"), node("edge3", 14, architecture="arm64")]
    problems = refusal(load, site_data)
    nodes = "which edge2 and edge3 need, in " + str(machine / "table.yaml")
    assert [problem.found for problem in problems] == [
        f"no row for {name} (any version) arm64, {nodes}" for name in ("flannel-cni", "image-pause", "image-proxy")
    ]
    assert [problem.fix for problem in problems] == [
        "They have it for amd64: use such hosts, or add a row for arm64.",
        "They have it for amd64: use such hosts, or add a row for arm64.",
        "Make it with: make images ARCH=arm64. Its rows are in ${KUBEVC_CACHE}/artifacts/index.yaml.",
    ]


def test_the_nearest_version_is_one_that_is_there_for_the_architecture(
    machine: Path, site_data: dict[str, Any], load: Load
) -> None:
    for version in ("v1.27.4+k3s1", "v1.29.5+k3s1", "v1.33.1+k3s1"):
        add_rows(machine, {"name": "k3s", "version": version, "architecture": "arm64"})
    add_rows(machine, {"name": "k3s", "version": "v1.28.9+k3s1", "architecture": "amd64"})
    site_data["kubernetes"]["version"] = "v1.28.9+k3s1"
    site_data["nodes"].append(node("edge2", 13, architecture="arm64"))
    (problem,) = refusal(load, site_data)
    assert problem.found.startswith("no row for k3s v1.28.9+k3s1 arm64, which edge2 needs, in ")
    assert problem.fix == (
        "Write kubernetes > version: v1.29.5+k3s1, the nearest that they have for arm64, or add rows."
    )


def test_a_release_counts_only_where_it_is_whole(machine: Path, site_data: dict[str, Any], load: Load) -> None:
    for name in ("kubeadm", "kubectl", "kubelet"):
        add_rows(machine, {"name": name, "version": "v1.33.5", "architecture": "amd64"})
    add_rows(machine, {"name": "kubeadm", "version": "v1.34.0", "architecture": "amd64"})
    site_data["kubernetes"] |= {"distribution": "kubeadm", "version": "v1.34.1"}
    (problem,) = refusal(load, site_data)
    assert problem.found.startswith("no row for kubeadm, kubectl, kubelet v1.34.1 amd64, which cp1 and edge1 need, in ")
    assert problem.fix == "Write kubernetes > version: v1.33.5, the nearest that they have for amd64, or add rows."


def test_what_no_table_has_for_any_architecture(site_data: dict[str, Any], load: Load) -> None:
    site_data["kubernetes"]["preloaded-images"] = ["image-pause", "image-unheard-of"]
    (problem,) = refusal(load, site_data)
    assert "no row for image-unheard-of (any version) amd64, which cp1 and edge1 need, in " in problem.found
    assert problem.fix == "Add a row for it, or name a table that has one."


def test_a_node_of_armhf_may_be_part_of_a_site_that_keeps_workloads_off_it(
    machine: Path, site_data: dict[str, Any]
) -> None:
    for name, version in {"k3s": "v1.26.2+k3s1", "flannel-cni": "v0.9.1", "image-pause": "3.6"}.items():
        add_rows(machine, {"name": name, "version": version, "architecture": "armhf"})
    site_data["nodes"].append(node("pi1", 13, architecture="armhf"))
    graph = record(site_data, facts={"pi1": {"architecture": "armhf"}})
    names = {
        found.name for found in graph.of_type("edgehost:index:Artifact") if found.name.startswith("environment-pi1")
    }
    assert names == {"environment-pi1-k3s", "environment-pi1-flannel-cni", "environment-pi1-image-pause"}
    for deployment in ("endpoint-deployment", "framework-detector-deployment"):
        assert architectures_of(graph, deployment) == ["amd64"]


def test_a_host_that_only_then_turns_out_to_be_armhf_is_refused_with_the_line_to_write(
    machine: Path, site_data: dict[str, Any]
) -> None:
    for name, version in {"k3s": "v1.26.2+k3s1", "flannel-cni": "v0.9.1", "image-pause": "3.6"}.items():
        add_rows(machine, {"name": name, "version": version, "architecture": "armhf"})
    site_data["nodes"].append(node("pi1", 13))
    for preview in (True, False):
        with pytest.raises(pulumi.RunError) as refused:
            record(site_data, preview=preview, facts={"pi1": {"architecture": "armhf"}})
        assert (
            "no row for image-proxy (any version) armhf, which pi1 needs, in "
            f"{machine}/table.yaml\n"
            "    why:   Only files with a pinned checksum are installed.\n"
            "    fix:   It exists for amd64 and arm64 only. Write architecture: armhf for pi1 in the site's file: "
            "what cannot run there is then kept off."
        ) in str(refused.value)


def test_what_only_hosts_tell_is_held_against_the_rules(site_data: dict[str, Any], load: Load) -> None:
    del site_data["nodes"][1]["architecture"]
    site_data["models"][0]["framework"] = "tensorflow-serving"
    loaded = load(site_data)
    (problem,) = problems_of_the_hosts(loaded.site, loaded.artifacts, {"cp1": "amd64", "edge1": "arm64"})
    assert problem.where == "models > 1 > framework"
    assert problem.found == "tensorflow-serving, and no node to run it: edge1 (arm64)"
    assert problems_of_the_hosts(loaded.site, loaded.artifacts, {"cp1": "amd64", "edge1": "amd64"}) == []


def test_hosts_that_do_not_answer_or_are_of_no_known_kind_are_left_to_others(
    site_data: dict[str, Any], load: Load
) -> None:
    del site_data["nodes"][1]["architecture"]
    loaded = load(site_data)
    assert problems_of_the_hosts(loaded.site, loaded.artifacts, {"cp1": "amd64"}) == []
    assert problems_of_the_hosts(loaded.site, loaded.artifacts, {"cp1": "amd64", "edge1": "riscv64"}) == []


def test_workloads_of_a_mixed_site_run_on_every_architecture_that_their_image_is_there_for(
    machine: Path, site_data: dict[str, Any]
) -> None:
    site_data["nodes"].append(node("edge2", 13, architecture="arm64"))
    site_data["models"].append({**site_data["models"][0], "name": "classifier", "framework": "tensorflow-serving"})
    graph = record(site_data, facts={"edge2": {"architecture": "arm64"}})
    assert architectures_of(graph, "framework-detector-deployment") == ["amd64", "arm64"]
    assert architectures_of(graph, "endpoint-deployment") == ["amd64", "arm64"]
    assert architectures_of(graph, "framework-classifier-deployment") == ["amd64"]


def test_the_first_node_need_not_be_one_that_the_image_is_there_for(machine: Path, site_data: dict[str, Any]) -> None:
    site_data["nodes"][1]["architecture"] = "arm64"
    site_data["nodes"].append(node("edge2", 13, architecture="amd64"))
    site_data["models"][0]["framework"] = "tensorflow-serving"
    graph = record(site_data, facts={"edge1": {"architecture": "arm64"}})
    assert architectures_of(graph, "framework-detector-deployment") == ["amd64"]
    (server,) = graph.named("framework-detector-deployment").inputs["spec"]["template"]["spec"]["containers"]
    assert server["image"] == FRAMEWORKS["tensorflow-serving"].image_reference


def test_an_image_of_another_build_keeps_its_architecture_out(machine: Path, site_data: dict[str, Any]) -> None:
    row = {"name": "image-proxy", "version": "2", "architecture": "arm64", "image": "kubevc.io/image-proxy:2"}
    add_rows(machine, row)
    site_data["nodes"].append(node("edge2", 13, architecture="arm64"))
    graph = record(site_data, facts={"edge2": {"architecture": "arm64"}})
    assert architectures_of(graph, "endpoint-deployment") == ["amd64"]
    assert architectures_of(graph, "framework-detector-deployment") == ["amd64", "arm64"]


def test_a_model_may_be_sent_to_an_architecture_by_the_label_that_kubernetes_gives(
    machine: Path, site_data: dict[str, Any]
) -> None:
    site_data["nodes"].append(node("edge2", 13, architecture="arm64"))
    site_data["models"][0]["node-selector"] = {"kubernetes.io/arch": "arm64"}
    graph = record(site_data, facts={"edge2": {"architecture": "arm64"}})
    pod = graph.named("framework-detector-deployment").inputs["spec"]["template"]["spec"]
    assert pod["nodeSelector"] == {"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}
    assert architectures_of(graph, "framework-detector-deployment") == ["arm64"]
    images = {found.name for found in graph.of_type("edgehost:index:Artifact") if "modelserver" in found.name}
    assert images == {"environment-edge2-image-modelserver"}


def test_the_catalogue_of_images_makes_what_the_matrix_promises() -> None:
    made = {image.name: image.architectures for image in CATALOGUE}
    assert made["proxy"] == PROXY_ARCHITECTURES
    assert made["modelserver"] == FRAMEWORKS["modelserver"].architectures


def test_the_official_table_has_what_the_matrix_promises() -> None:
    rows = yaml.safe_load(OFFICIAL_TABLE.read_text())["artifacts"]
    there = {
        distribution: {row["architecture"] for row in rows if row["name"] == distribution}
        for distribution in DISTRIBUTION_ARCHITECTURES
    }
    assert there == {name: set(promised) for name, promised in DISTRIBUTION_ARCHITECTURES.items()}


def table_of_the_page() -> dict[tuple[str, str], bool]:
    """Return what the page says of each row and architecture."""
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    heading, *rows = lines
    assert tuple(heading) == ARCHITECTURES
    return {
        (row[0], name): {"yes": True, "no": False}[cell]
        for row in rows
        for name, cell in zip(heading, row[1:], strict=True)
    }


def is_possible(site_data: dict[str, Any], row: str, architecture: str) -> bool:
    """Say whether a site with an agent of an architecture passes the rules for what a row of the page is about."""
    data = deepcopy(site_data)
    data["nodes"][1]["architecture"] = architecture
    subject, _, choice = row.strip("`").partition(": ")
    if subject == "distribution":
        data["kubernetes"] |= {"distribution": choice, "version": {"k3s": "v1.34.3+k3s1", "kubeadm": "v1.34.1"}[choice]}
    if subject == "framework":
        data["models"][0]["framework"] = choice
    place = {"distribution": "nodes > 2 > architecture", "the proxy": "endpoint", "framework": "models > 1 > framework"}
    return place[subject] not in [
        problem.where for problem in broken_rules(parse(data, project=PROJECT, cache=PROJECT))
    ]


def test_the_page_has_a_row_for_every_choice() -> None:
    distributions = {f"`distribution: {name}`" for name in DISTRIBUTION_ARCHITECTURES}
    frameworks = {f"`framework: {name}`" for name in FRAMEWORKS}
    assert {row for row, _ in table_of_the_page()} == {*distributions, "the proxy", *frameworks}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_page_says_what_the_rules_do(site_data: dict[str, Any], architecture: str) -> None:
    said = {row: possible for (row, name), possible in table_of_the_page().items() if name == architecture}
    assert said == {row: is_possible(site_data, row, architecture) for row in said}

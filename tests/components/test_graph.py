"""What the program registers for a site: who belongs to whom, what waits for what, what is secret."""

from pathlib import Path
from typing import Any

import pulumi
import pytest

from components.update import WAY_TO_THE_API
from components.workspace import PATCH_FORCE
from tests.components.recording import PROGRAM, SECRET, Graph, record


@pytest.fixture
def graph(machine: Path, site_data: dict[str, Any]) -> Graph:
    return record(site_data)


def test_the_story_is_short_and_has_no_branches() -> None:
    lines = PROGRAM.read_text().splitlines()
    assert len(lines) <= 60
    assert not [line for line in lines if line.lstrip().startswith(("if ", "elif ", "try:", "while ", "match "))]


def test_every_resource_belongs_to_a_component(graph: Graph) -> None:
    for resource in graph.resources.values():
        if resource.type.startswith(("kubevc:", "pulumi:pulumi:")):
            continue
        parent = graph.resources[resource.parent]
        assert parent.type.startswith("kubevc:"), resource.urn
        assert resource.name.startswith(parent.name), resource.urn


def test_type_tokens_name_file_and_class(graph: Graph) -> None:
    for component in graph.of_type("kubevc:"):
        _, file, name = component.type.split("$")[-1].split(":")
        assert f"class {name}(" in (PROGRAM.parent / "components" / f"{file}.py").read_text()


def test_hosts_are_prepared_side_by_side(graph: Graph) -> None:
    assert not [name for name in graph.waits_for("join-edge1-unit") if "cp1" in name or "initialise" in name]
    assert not [name for name in graph.waits_for("initialise-k3s-unit") if "edge1" in name]


def test_models_are_published_without_waiting_for_the_cluster(graph: Graph) -> None:
    assert graph.waits_for("models-detector-1") <= {"hosts-ssh"}


def test_a_token_is_minted_only_when_everything_is_in_place(graph: Graph) -> None:
    first = graph.waits_for("join-edge1-member")
    assert {"initialise-k3s-unit", "join-edge1-unit", "join-edge1-config"} <= first
    assert {f"environment-edge1-{part}" for part in ("k3s", "packages", "sysctls", "image-modelserver")} <= first


def test_objects_that_need_no_node_do_not_wait_for_one(graph: Graph) -> None:
    for name in ("models-claim", "framework-detector-config", "framework-detector-service", "endpoint-service"):
        assert "join-edge1-member" not in graph.waits_for(name)


def test_servers_wait_for_a_node_and_for_their_model(graph: Graph) -> None:
    first = graph.waits_for("framework-detector-deployment")
    assert {"join-edge1-member", "models-detector-1", "models-claim", "framework-detector-config"} <= first


def test_the_picture_is_sent_last(graph: Graph) -> None:
    first = graph.waits_for("smoke-request")
    assert {"framework-detector-deployment", "endpoint-deployment", "models-detector-1"} <= first


def test_nodes_that_do_not_work_are_let_go_of_before_anything_is_deleted(graph: Graph) -> None:
    """What is made last is deleted first."""
    for node in ("cp1", "edge1"):
        objects = {resource.name for resource in graph.of_type("kubernetes:") if ":Deployment" in resource.type}
        assert {*objects, "models-claim", "join-edge1-member"} <= graph.waits_for(f"departure-{node}")


def test_the_way_to_the_api_is_complete_and_has_nothing_that_is_in_the_cluster(graph: Graph) -> None:
    way = [found for found in graph.resources.values() if set(WAY_TO_THE_API) & set(graph.types_around(found))]
    needed = {"workspace-kubernetes", *graph.waits_for("workspace-kubernetes")}
    assert "initialise-k3s-access" in needed
    assert needed <= {found.name for found in way}
    assert not [found.urn for found in way if found.type.startswith("kubernetes:")]


def test_the_kubeconfig_is_a_secret_everywhere(graph: Graph) -> None:
    provider = graph.named("workspace-kubernetes")
    assert provider.inputs["kubeconfig"][rpc_signature()] == SECRET
    assert graph.outputs["kubeconfig"][rpc_signature()] == SECRET


def rpc_signature() -> str:
    return pulumi.runtime.rpc._special_sig_key


def test_the_cluster_is_identified_by_the_site(graph: Graph) -> None:
    assert graph.named("workspace-kubernetes").inputs["clusterIdentifier"] == "test"


def test_every_object_may_take_back_fields(graph: Graph) -> None:
    objects = [resource for resource in graph.of_type("kubernetes:") if "providers" not in resource.type]
    assert len(objects) >= 10
    for resource in objects:
        assert resource.inputs["metadata"]["annotations"][PATCH_FORCE] == "true", resource.urn


def test_no_deletion_is_waited_for_without_an_end(graph: Graph) -> None:
    objects = [resource for resource in graph.of_type("kubernetes:") if "providers" not in resource.type]
    for resource in objects:
        ends_pods_or_volumes = any(kind in resource.type for kind in ("Deployment", "Namespace", "PersistentVolume"))
        assert resource.delete_timeout == ("5m" if ends_pods_or_volumes else "20s"), resource.urn


def test_every_pod_is_restricted(graph: Graph) -> None:
    for deployment in graph.of_type("kubernetes:apps/v1:Deployment"):
        pod = deployment.inputs["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]


def test_workloads_keep_off_the_server_of_a_site_with_agents(graph: Graph) -> None:
    pod = graph.named("endpoint-deployment").inputs["spec"]["template"]["spec"]
    assert "control-plane" in str(pod["affinity"])


def test_a_site_of_one_server_runs_its_workloads_there(machine: Path, site_data: dict[str, Any]) -> None:
    del site_data["nodes"][1]
    graph = record(site_data)
    assert "control-plane" not in str(graph.named("endpoint-deployment").inputs["spec"]["template"]["spec"])
    assert graph.named("environment-cp1-image-modelserver")
    assert "initialise-k3s-access" in graph.waits_for("framework-detector-deployment")


def test_images_of_workloads_go_only_where_they_may_run(graph: Graph) -> None:
    images = {resource.name for resource in graph.of_type("edgehost:index:Artifact") if "-image-" in resource.name}
    assert images == {
        "environment-cp1-image-pause",
        "environment-edge1-image-pause",
        "environment-edge1-image-modelserver",
        "environment-edge1-image-proxy",
    }


def test_a_host_that_is_no_candidate_stops_an_update_before_anything_is_written(
    machine: Path, site_data: dict[str, Any]
) -> None:
    facts = {"edge1": {"memoryMib": 100, "diskFreeMib": 10}, "cp1": {"clockOffsetSeconds": 400.0}}
    with pytest.raises(pulumi.RunError) as refused:
        record(site_data, facts=facts)
    said = str(refused.value)
    assert said.startswith("These hosts cannot be set up: 3 problems")
    assert "edge1\n    found: 100 MiB of memory" in said
    assert "cp1\n    found: a clock +400 s from this machine's" in said


def test_a_preview_warns_of_a_host_that_does_not_answer_and_goes_on(machine: Path, site_data: dict[str, Any]) -> None:
    del site_data["nodes"][1]["architecture"]
    lost = {"edge1": {"reachable": False, "error": "edge1 (192.0.2.12): nothing answered", "architecture": ""}}
    graph = record(site_data, preview=True, facts=lost)
    assert [warning for warning in graph.warnings if "nothing answered" in warning]
    assert graph.named("join-edge1-member")


def test_an_agent_of_another_architecture_gets_its_own_files(machine: Path, site_data: dict[str, Any]) -> None:
    del site_data["nodes"][1]["architecture"]
    graph = record(site_data, facts={"edge1": {"architecture": "arm64"}})
    assert graph.named("environment-edge1-k3s").inputs["url"] == "http://192.0.2.1:8080/k3s/arm64"
    assert graph.named("environment-cp1-k3s").inputs["url"] == "http://192.0.2.1:8080/k3s/amd64"

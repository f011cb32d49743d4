"""What a kubeadm site is made of: what kubeadm is told, what lies on hosts, what waits for what."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import kubeadm_config, kubeadm_files
from components.cluster import node_preparation
from components.load import LoadedSite
from components.site import Site
from tests.components.recording import Graph, record

VERSION = "v1.34.1"
VERSIONED = (*kubeadm_files.PROGRAMS, *kubeadm_files.VERSIONED_IMAGES)
NOTHING: dict[str, str] = {}
Load = Callable[[dict[str, Any]], LoadedSite]


@pytest.fixture
def kubeadm_data(machine: Path, site_data: dict[str, Any]) -> dict[str, Any]:
    """Return a kubeadm site as plain data, whose artifacts are all in the table."""
    table = machine / "table.yaml"
    content = yaml.safe_load(table.read_text())
    pattern = content["artifacts"][0]
    versions = dict.fromkeys(VERSIONED, VERSION) | {"image-etcd": "3.6.4-0", "image-coredns": "v1.12.1"}
    for name, version in versions.items():
        for architecture in ("amd64", "arm64"):
            reference = f"registry.example/k8s/{name.removeprefix('image-')}:{version}"
            row = {"name": name, "architecture": architecture, "image": reference}
            content["artifacts"].append({**pattern, **row, "version": version})
    table.write_text(yaml.safe_dump(content))
    site_data["kubernetes"] |= {
        "distribution": "kubeadm",
        "version": VERSION,
        "container-runtime": "packages",
        "preloaded-images": ["image-pause", "image-kube-apiserver", "image-kube-proxy", "image-etcd"],
        "conntrack-max-per-core": 0,
        "kubelet": {"eviction-hard": {"nodefs.available": "100Mi"}},
    }
    return site_data


@pytest.fixture
def site(kubeadm_data: dict[str, Any], load: Load) -> Site:
    return load(kubeadm_data).site


@pytest.fixture
def graph(kubeadm_data: dict[str, Any]) -> Graph:
    return record(kubeadm_data)


def with_three_servers(data: dict[str, Any]) -> dict[str, Any]:
    """Return the site with two more servers."""
    more = [{"name": f"cp{n}", "address": f"192.0.2.{100 + n}", "role": "server"} for n in (2, 3)]
    data["nodes"] += more
    return data


def documents(settings: str) -> dict[str, dict[str, Any]]:
    """Return kubeadm's objects by their kind."""
    return {document["kind"]: document for document in yaml.safe_load_all(settings)}


def test_the_cluster_has_the_sites_networks_and_every_servers_address(kubeadm_data: dict[str, Any], load: Load) -> None:
    site = load(with_three_servers(kubeadm_data)).site
    told = documents(kubeadm_config.plane_settings(site, site.server, NOTHING))
    assert told["ClusterConfiguration"]["networking"] == {"podSubnet": "10.42.0.0/16", "serviceSubnet": "10.43.0.0/16"}
    assert told["ClusterConfiguration"]["apiServer"]["certSANs"] == ["192.0.2.11", "192.0.2.102", "192.0.2.103"]
    assert told["ClusterConfiguration"]["controlPlaneEndpoint"] == "192.0.2.11:6443"
    assert told["ClusterConfiguration"]["controllerManager"]["extraArgs"] == [
        {"name": "pvclaimbinder-sync-period", "value": "2s"}
    ]
    assert told["KubeProxyConfiguration"]["conntrack"] == {"maxPerCore": 0, "min": 0}


def test_the_cluster_configuration_is_last_and_takes_a_version(site: Site) -> None:
    text = kubeadm_config.plane_settings(site, site.server, NOTHING)
    assert "kubernetesVersion" not in text
    *_, last = yaml.safe_load_all(f"{text}kubernetesVersion: {VERSION}\n")
    assert (last["kind"], last["kubernetesVersion"]) == ("ClusterConfiguration", VERSION)


def test_a_server_takes_workloads_only_where_there_is_no_agent(kubeadm_data: dict[str, Any], load: Load) -> None:
    with_agent = load(kubeadm_data).site
    kept_free = documents(kubeadm_config.plane_settings(with_agent, with_agent.server, NOTHING))["InitConfiguration"]
    assert "taints" not in kept_free["nodeRegistration"]
    kubeadm_data["nodes"] = [node for node in kubeadm_data["nodes"] if node["role"] == "server"]
    alone = load(kubeadm_data).site
    taken = documents(kubeadm_config.plane_settings(alone, alone.server, NOTHING))["InitConfiguration"]
    assert taken["nodeRegistration"]["taints"] == []


def test_preloaded_images_are_asked_for_whatever_versions_kubeadm_would_choose(
    kubeadm_data: dict[str, Any],
) -> None:
    kubeadm_data["kubernetes"]["preloaded-images"].append("image-coredns")
    told = documents(record(kubeadm_data).named("initialise-kubeadm-plane").inputs["settings"])["ClusterConfiguration"]
    assert told["etcd"] == {"local": {"imageRepository": "registry.example/k8s", "imageTag": "3.6.4-0"}}
    assert told["dns"] == {"imageRepository": "registry.example/k8s", "imageTag": "v1.12.1"}


@pytest.mark.parametrize("reference", ["registry.example/my-etcd:3.6.4-0", f"registry.example/etcd@sha256:{'0' * 64}"])
def test_kubeadm_chooses_where_it_could_not_ask_for_the_preloaded_image(site: Site, reference: str) -> None:
    told = documents(kubeadm_config.plane_settings(site, site.server, {"image-etcd": reference}))
    assert not {"etcd", "dns"} & told["ClusterConfiguration"].keys()


def test_kubeadm_asks_no_registry_where_all_that_it_starts_is_preloaded(
    kubeadm_data: dict[str, Any], load: Load
) -> None:
    assert pull_policies(load(kubeadm_data).site) == {"IfNotPresent"}
    kubeadm_data["kubernetes"]["preloaded-images"] = sorted(kubeadm_files.ALL_IMAGES)
    assert pull_policies(load(kubeadm_data).site) == {"Never"}


def pull_policies(site: Site) -> set[str]:
    """Return when images are pulled, by what kubeadm is told at its start and when a node joins."""
    start = documents(kubeadm_config.plane_settings(site, site.server, NOTHING))["InitConfiguration"]
    join = yaml.safe_load(kubeadm_config.join_settings(site, site.agents[0]))
    return {told["nodeRegistration"]["imagePullPolicy"] for told in (start, join)}


def test_joining_the_control_plane_is_told_apart_from_joining_for_work(
    kubeadm_data: dict[str, Any], load: Load
) -> None:
    site = load(with_three_servers(kubeadm_data)).site
    as_server = yaml.safe_load(kubeadm_config.join_settings(site, site.servers[1]))
    as_agent = yaml.safe_load(kubeadm_config.join_settings(site, site.agents[0]))
    assert as_server["controlPlane"]["localAPIEndpoint"]["advertiseAddress"] == "192.0.2.102"
    # kubeadm's check of proxies fails on a server where it was built with Go 1.26, at its join as at the start.
    assert as_server["nodeRegistration"]["ignorePreflightErrors"] == ["HTTPProxyCIDR"]
    assert "controlPlane" not in as_agent
    assert as_agent["nodeRegistration"]["kubeletExtraArgs"] == [{"name": "node-ip", "value": "192.0.2.12"}]


def test_images_of_the_control_plane_are_on_servers_alone(site: Site) -> None:
    runtimes = {node.name: node_preparation(site, node).runtime for node in site.nodes}
    archives = {name: set(runtime.archives) for name, runtime in runtimes.items() if runtime}
    assert {"image-etcd", "image-kube-apiserver"} <= archives["cp1"]
    assert archives["edge1"] == {"image-kube-proxy", "image-pause", "image-modelserver", "image-proxy"}


def test_programs_of_two_versions_have_two_places(site: Site) -> None:
    programs = {file.artifact: file for file in node_preparation(site, site.server).installed if file.beside_others}
    assert sorted(programs) == sorted(kubeadm_files.PROGRAMS)
    assert programs["kubelet"].path == "/usr/local/lib/kubernetes/v1.34.1/kubelet"
    assert programs["kubelet"].resource_name == "kubelet-v1.34.1"


def test_kubelet_reads_the_sites_thresholds_after_kubeadms(site: Site) -> None:
    service = kubeadm_files.node_service(site.kubernetes)
    assert yaml.safe_load(service.config_text)["evictionHard"] == {"nodefs.available": "100Mi"}
    assert f"--config-dir={service.config_path.rpartition('/')[0]} " in service.unit_text


def test_the_runtime_is_the_nodes_own_and_told_of_in_one_place(site: Site) -> None:
    runtime = node_preparation(site, site.server).runtime
    assert runtime is not None
    assert f'address = "{runtime.socket}"' in runtime.service.config_text
    assert f"--config {runtime.service.config_path}" in runtime.service.unit_text
    assert "restrict_oom_score_adj = false" in runtime.service.config_text


def test_the_cluster_starts_when_its_images_are_imported(graph: Graph) -> None:
    first = graph.waits_for("initialise-kubeadm-plane")
    assert {"environment-cp1-images", "environment-cp1-runtime-unit", "initialise-kubeadm-unit"} <= first
    assert not [name for name in first if "edge1" in name]


def test_a_node_joins_when_the_control_plane_is_there(graph: Graph) -> None:
    first = graph.waits_for("join-edge1-member")
    assert {"initialise-kubeadm-plane", "environment-edge1-images", "join-edge1-unit"} <= first
    assert "initialise-kubeadm-access" not in first


def test_agents_join_and_are_upgraded_after_the_control_plane(kubeadm_data: dict[str, Any]) -> None:
    graph = record(with_three_servers(kubeadm_data))
    assert {"join-cp2-plane", "join-cp3-plane"} <= graph.waits_for("join-edge1-member")
    assert graph.named("join-cp2-member").inputs["controlPlane"] is True
    assert graph.named("join-cp2-plane").inputs["startsCluster"] is False
    others = graph.named("initialise-kubeadm-plane").inputs["others"]
    assert others == [{"name": f"cp{n}", "address": f"192.0.2.{100 + n}"} for n in (2, 3)]


def test_the_network_and_its_firewall_run_on_every_node(graph: Graph) -> None:
    agents = {sets.name: sets.inputs["spec"]["template"]["spec"] for sets in graph.of_type("apps/v1:DaemonSet")}
    assert sorted(agents) == ["network-flannel-agents", "network-policies-agents"]
    assert all(spec["tolerations"] == [{"operator": "Exists"}] for spec in agents.values())
    assert "10.42.0.0/16" in graph.named("network-flannel-config").inputs["data"]["net-conf.json"]


def test_a_node_is_ready_when_its_network_is_and_the_network_needs_no_ready_node(graph: Graph) -> None:
    runtime = graph.named("environment-cp1-runtime-config").inputs["content"]
    (flannel,) = graph.named("network-flannel-agents").inputs["spec"]["template"]["spec"]["containers"]
    folder = next(mount["mountPath"] for mount in flannel["volumeMounts"] if mount["name"] == "cni")
    assert f'conf_dir = "{folder}"' in runtime
    variables = {variable["name"]: variable.get("value") for variable in flannel["env"]}
    assert variables["CNI_CONFIG_PATH"] == f"{folder}/10-flannel.conflist"
    assert json.loads(variables["CNI_CONFIG"])["plugins"][0]["type"] == "flannel"
    assert graph.named("initialise-kubeadm-access").inputs["awaitsNode"] is False


def test_the_networks_pods_are_deleted_after_nodes_that_do_not_work_are_let_go_of(graph: Graph) -> None:
    agents = {resource.name for resource in graph.of_type("kubernetes:apps/v1:DaemonSet")}
    assert len(agents) == 2
    assert agents <= graph.waits_for("departure-edge1")


def test_no_secret_of_a_join_is_an_input(graph: Graph) -> None:
    settings = yaml.safe_load(graph.named("join-edge1-member").inputs["settings"])
    assert "discovery" not in settings

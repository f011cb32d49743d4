"""What k3s reads on a host."""

import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from components import k3s_files
from components.load import LoadedSite
from components.site import Site

Load = Callable[[dict[str, Any]], LoadedSite]


@pytest.fixture
def site(site_data: dict[str, Any], load: Load) -> Site:
    site_data["kubernetes"] |= {
        "containerd": {"restrict-oom-score-adj": True},
        "conntrack-max-per-core": 0,
        "kubelet": {"eviction-hard": {"nodefs.available": "100Mi", "memory.available": "50Mi"}},
    }
    return load(site_data).site


def test_the_server_is_told_its_networks_and_what_to_leave_out(site: Site) -> None:
    config = yaml.safe_load(k3s_files.server_service(site.kubernetes, site.server).config_text)
    assert config["cluster-cidr"] == "10.42.0.0/16"
    assert config["node-name"] == "cp1"
    assert config["disable"] == ["local-storage", "metrics-server", "servicelb", "traefik"]
    assert config["kube-controller-manager-arg"] == ["pvclaimbinder-sync-period=2s"]
    assert config["kube-proxy-arg"] == ["conntrack-max-per-core=0"]
    assert "eviction-hard=memory.available<50Mi,nodefs.available<100Mi" in config["kubelet-arg"]


def test_an_agent_is_told_its_server_and_where_its_token_will_lie(site: Site) -> None:
    service = k3s_files.agent_service(site.kubernetes, site.agents[0], "https://192.0.2.11:6443")
    config = yaml.safe_load(service.config_text)
    assert config["server"] == "https://192.0.2.11:6443"
    assert config["token-file"] == k3s_files.JOIN_TOKEN
    assert "token" not in config


def test_options_are_in_the_file_and_not_on_the_command_line(site: Site) -> None:
    unit = k3s_files.server_service(site.kubernetes, site.server).unit_text
    assert "ExecStart=/usr/local/bin/k3s server\n" in unit
    assert "KillMode=process\n" in unit


def test_plugins_of_packages_are_on_the_path_of_the_unit(site: Site) -> None:
    assert "PATH=/usr/lib/cni:" in k3s_files.server_service(site.kubernetes, site.server).unit_text


def test_a_bundled_runtime_needs_no_packages_but_the_nfs_client(site_data: dict[str, Any], load: Load) -> None:
    site_data["kubernetes"]["container-runtime"] = "bundled"
    kubernetes = load(site_data).site.kubernetes
    preparation = k3s_files.preparation(kubernetes, ())
    assert preparation.packages == ["nfs-common"]
    assert [file.artifact for file in preparation.installed] == ["k3s"]
    assert not preparation.written
    assert not preparation.idle_units


def test_the_network_configuration_is_one_that_the_old_plugin_speaks(site: Site) -> None:
    written = k3s_files.preparation(site.kubernetes, ()).written
    assert json.loads(written[k3s_files.CNI_CONFIG])["cniVersion"] == "0.4.0"


def test_the_runtime_template_renders_to_toml(site: Site) -> None:
    template = k3s_files.preparation(site.kubernetes, ()).written[k3s_files.CONTAINERD_TEMPLATE]
    body = template.split("*/ -}}", 1)[1]
    rendered = [line.replace("{{ .", "").replace(" }}", "") for line in body.splitlines()]
    plain = "\n".join(line for line in rendered if "{{-" not in line)
    # Booleans are the only values that the template leaves without quotes.
    for name in ("NodeConfig.SELinux", "EnableUnprivileged", "SystemdCgroup"):
        plain = plain.replace(f"= {name}", "= true")
    config = tomllib.loads(plain)
    assert config["plugins"]["io.containerd.grpc.v1.cri"]["restrict_oom_score_adj"] is True

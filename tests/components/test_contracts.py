"""What one room writes, another reads: the proxy's and the model server's configuration."""

from pathlib import Path
from typing import Any

from components.serving import models_config
from modelserver import configuration
from proxy.config import load_config
from tests.components.recording import record


def test_the_proxy_reads_the_configuration_that_the_endpoint_writes(
    machine: Path, site_data: dict[str, Any], tmp_path: Path
) -> None:
    site_data["endpoint"] = {
        "max-in-flight": 3,
        "max-waiting": 5,
        "max-video-mib": 32,
        "max-streams": 2,
        "deadline-seconds": 7,
        "linger-seconds": 4,
        "batching": False,
        "tracing": {"endpoint": "collector.example:4317", "sample-ratio": 0.5},
        "addresses": {"allowed-hosts": ["*.example.org"], "allowed-networks": ["10.1.0.0/16"]},
    }
    graph = record(site_data)
    data = graph.named("endpoint-config").inputs["data"]
    items = graph.named("endpoint-deployment").inputs["spec"]["template"]["spec"]["volumes"][1]["configMap"]["items"]
    folder = tmp_path / "etc"
    for item in items:
        (folder / item["path"]).parent.mkdir(parents=True, exist_ok=True)
        (folder / item["path"]).write_text(data[item["key"]])
    config = load_config(folder / "proxy.yaml")
    limits = config.limits
    assert (limits.max_in_flight, limits.max_waiting, limits.max_video_mib, limits.max_streams) == (3, 5, 32, 2)
    assert (config.deadline_seconds, config.linger_seconds) == (7, 4)
    assert not config.backend.batching.enabled
    assert config.tracing is not None
    assert (config.tracing.endpoint, config.tracing.sample_ratio) == ("collector.example:4317", 0.5)
    assert config.addresses.allowed_hosts == ("*.example.org",)
    assert [str(network) for network in config.addresses.allowed_networks] == ["10.1.0.0/16"]
    assert [model.name for model in config.models] == ["detector"]
    assert (folder / "models/detector/labels.txt").read_text() == "person\nbicycle\n"


def test_the_model_server_reads_the_list_of_models_that_serving_writes() -> None:
    (model,) = configuration.models(configuration.parse(models_config("detector"), "models.config"))
    assert (model.name, str(model.base_path)) == ("detector", "/models/detector")

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
    site_data["endpoint"] = {"max-in-flight": 3, "deadline-seconds": 7}
    graph = record(site_data)
    data = graph.named("endpoint-config").inputs["data"]
    items = graph.named("endpoint-deployment").inputs["spec"]["template"]["spec"]["volumes"][1]["configMap"]["items"]
    folder = tmp_path / "etc"
    for item in items:
        (folder / item["path"]).parent.mkdir(parents=True, exist_ok=True)
        (folder / item["path"]).write_text(data[item["key"]])
    config = load_config(folder / "proxy.yaml")
    assert config.limits.max_in_flight == 3
    assert config.deadline_seconds == 7
    assert [model.name for model in config.models] == ["detector"]
    assert (folder / "models/detector/labels.txt").read_text() == "person\nbicycle\n"


def test_the_model_server_reads_the_list_of_models_that_serving_writes() -> None:
    (model,) = configuration.models(configuration.parse(models_config("detector"), "models.config"))
    assert (model.name, str(model.base_path)) == ("detector", "/models/detector")

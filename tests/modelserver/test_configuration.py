"""Which models, versions and labels: at the start, by the file, and by HandleReloadConfigRequest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from modelserver import configuration
from modelserver.errors import InvalidArgument, RequestError, StartupError
from modelserver.versions import VersionPolicy
from protos.stubs.grpc.health.v1 import health_pb2, health_pb2_grpc
from protos.stubs.tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig
from tests.modelserver.conftest import Start, config_of
from tests.modelserver.running import Client, eventually, refused, spec_of

X = np.zeros((1, 2), np.float32)


def entry(folder: Path, rest: str = "", name: str = "add") -> str:
    """Make one entry of a configuration."""
    return f'name: "{name}" base_path: "{folder}" {rest}'


def answered(client: Client, **which: object) -> float:
    """Return the version that answers: each adds its number."""
    return float(client.predict(spec_of("add", **which), x=X)["y"][0, 0])


@pytest.mark.parametrize(
    ("policy", "existing", "chosen"),
    [
        (VersionPolicy(), [1, 3, 2], [3]),
        (VersionPolicy("latest", count=2), [1, 3, 2], [3, 2]),
        (VersionPolicy("all"), [1, 3, 2], [3, 2, 1]),
        (VersionPolicy("specific", versions=frozenset({1, 7})), [1, 3, 2], [1]),
        (VersionPolicy(), [], []),
    ],
)
def test_policies_choose_versions(policy: VersionPolicy, existing: list[int], chosen: list[int]) -> None:
    assert policy.choose(existing) == chosen


@pytest.mark.parametrize(
    ("rest", "versions"),
    [
        ("", {3}),
        ("model_version_policy { latest { num_versions: 2 } }", {2, 3}),
        ("model_version_policy { all {} }", {1, 2, 3}),
        ("model_version_policy { specific { versions: 1 versions: 3 } }", {1, 3}),
    ],
)
def test_policies_decide_what_is_served(
    models: Path, tmp_path: Path, start: Start, rest: str, versions: set[int]
) -> None:
    file = tmp_path / "models.config"
    file.write_text(str(config_of(entry(models / "add", rest))))
    _, client = start(model_config_file=file)
    eventually(lambda: client.available("add") == versions)


def test_a_new_configuration_by_rpc_adds_and_removes_models(models: Path, start: Start) -> None:
    _, client = start(model_name="add", model_base_path=str(models / "add"))
    eventually(lambda: client.available("add") == {3})
    both = config_of(entry(models / "add"), entry(models / "many", name="many"))
    client.reload(both)
    # The answer came when the new model was available.
    assert client.available("many") == {1}
    client.reload(config_of(entry(models / "many", name="many")))
    eventually(lambda: client.available("add") == set())
    assert refused(lambda: client.predict(spec_of("add"), x=X))[0] == "NOT_FOUND"


def test_a_new_policy_moves_the_same_model_to_other_versions(models: Path, start: Start) -> None:
    _, client = start(model_name="add", model_base_path=str(models / "add"))
    eventually(lambda: client.available("add") == {3})
    client.reload(config_of(entry(models / "add", "model_version_policy { specific { versions: 1 } }")))
    eventually(lambda: client.available("add") == {1})
    assert answered(client) == 1


def test_another_base_path_is_read_also_for_a_version_of_the_same_number(
    models: Path, tmp_path: Path, start: Start
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "3").symlink_to(models / "add" / "1")
    _, client = start(model_name="add", model_base_path=str(models / "add"))
    eventually(lambda: client.available("add") == {3})
    assert answered(client) == 3
    client.reload(config_of(entry(tmp_path / "other")))
    eventually(lambda: answered(client) == 1)
    assert client.available("add") == {3}


def test_labels_follow_the_configuration(models: Path, start: Start) -> None:
    _, client = start(model_name="add", model_base_path=str(models / "add"))
    eventually(lambda: client.available("add") == {3})
    every = "model_version_policy { all {} }"
    client.reload(config_of(entry(models / "add", every)))
    eventually(lambda: client.available("add") == {1, 2, 3})
    labels = 'version_labels {{ key: "stable" value: {} }} version_labels {{ key: "canary" value: {} }}'
    client.reload(config_of(entry(models / "add", every + labels.format(1, 2))))
    assert (answered(client, label="stable"), answered(client, label="canary")) == (1, 2)
    client.reload(config_of(entry(models / "add", every + labels.format(2, 3))))
    assert (answered(client, label="stable"), answered(client, label="canary")) == (2, 3)
    client.reload(config_of(entry(models / "add", every)))
    assert refused(lambda: answered(client, label="stable")) == (
        "INVALID_ARGUMENT",
        "Unrecognized servable version label: stable",
    )


def test_a_label_may_not_lead_where_nothing_answers(models: Path, start: Start) -> None:
    _, client = start(model_name="add", model_base_path=str(models / "add"))
    eventually(lambda: client.available("add") == {3})
    labelled = config_of(entry(models / "add", 'version_labels { key: "next" value: 4 }'))
    assert refused(lambda: client.reload(labelled)) == (
        "FAILED_PRECONDITION",
        "Request to assign label to version 4 of model add, which is not currently available for inference",
    )
    assert answered(client) == 3


def test_the_flag_lets_a_new_label_lead(models: Path, start: Start) -> None:
    _, client = start(model_name="add", model_base_path=str(models / "add"), labels_for_unavailable_versions=True)
    eventually(lambda: client.available("add") == {3})
    client.reload(config_of(entry(models / "add", 'version_labels { key: "next" value: 4 }')))
    assert refused(lambda: answered(client, label="next")) == (
        "NOT_FOUND",
        "Servable not found for request: Specific(add, 4)",
    )


def test_a_model_that_cannot_be_loaded_fails_the_reload_and_nothing_else(
    models: Path, tmp_path: Path, start: Start
) -> None:
    (tmp_path / "broken" / "1").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    _, client = start(model_name="add", model_base_path=str(models / "add"))
    eventually(lambda: client.available("add") == {3})
    config = config_of(
        entry(models / "add"),
        entry(tmp_path / "broken", name="broken"),
        entry(tmp_path / "empty", name="empty"),
    )
    code, text = refused(lambda: client.reload(config))
    assert code == "UNKNOWN"
    assert text == (
        "2 model(s) did not become available: {{{name: broken version: 1} due to error: Could not find SavedModel .pb "
        f"or .pbtxt at supplied export directory path: {tmp_path / 'broken' / '1'}}}, {{{{name: empty}} has no version "
        "folder}, }"
    )
    assert answered(client) == 3


@pytest.mark.parametrize(
    ("config", "code", "text"),
    [
        (
            ModelServerConfig(),
            "INVALID_ARGUMENT",
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently "
            "supported",
        ),
        (
            config_of('name: "a" base_path: "/a"', 'name: "a" base_path: "/b"'),
            "INVALID_ARGUMENT",
            "Illegal to list model a multiple times in config list",
        ),
        (
            config_of('name: "a" base_path: "here"'),
            "INVALID_ARGUMENT",
            "Expected model a to have an absolute path or URI; got base_path()=here",
        ),
        (
            config_of('name: "a" base_path: "/a" model_type: TENSORFLOW'),
            "INVALID_ARGUMENT",
            "Illegal setting both model_type(deprecated) and model_platform.",
        ),
        (config_of('base_path: "/a"'), "INVALID_ARGUMENT", "Illegal to list a model without a name in config list"),
        (
            config_of('name: "a" base_path: "/a" model_version_policy { specific {} }'),
            "INVALID_ARGUMENT",
            "model_version_policy is 'specific' and lists no version",
        ),
    ],
)
def test_configurations_that_are_wrong_are_refused(config: ModelServerConfig, code: str, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        configuration.models(config)
    assert caught.value.message == text


def test_a_platform_that_is_not_tensorflow_is_refused() -> None:
    config = ModelServerConfig()
    added = config.model_config_list.config.add(name="a", base_path="/a", model_platform="pytorch")
    with pytest.raises(RequestError, match="PlatformConfigMap has no entry for platform pytorch"):
        configuration.models(config)
    added.model_platform = ""
    with pytest.raises(InvalidArgument, match="Illegal setting neither model_type"):
        configuration.models(config)


def test_the_file_is_read_again_when_it_changes(models: Path, tmp_path: Path, start: Start) -> None:
    file = tmp_path / "models.config"
    file.write_text(str(config_of(entry(models / "add"))))
    _, client = start(model_config_file=file, model_config_poll_seconds=0.05)
    eventually(lambda: client.available("add") == {3})
    file.write_text("model_config_list {")
    file.write_text(str(config_of(entry(models / "add"), entry(models / "many", name="many"))))
    eventually(lambda: client.available("many") == {1})
    file.write_text("this is no configuration")
    assert answered(client) == 3
    file.write_text(str(config_of(entry(models / "many", name="many"))))
    eventually(lambda: client.available("add") == set())


def test_a_file_that_is_wrong_at_the_start_is_told_with_its_line(tmp_path: Path, start: Start) -> None:
    file = tmp_path / "models.config"
    file.write_text('model_config_list {\n  config { name: "a" paths: "/a" }\n}')
    with pytest.raises(StartupError) as caught:
        start(model_config_file=file)
    assert str(caught.value).startswith(f"configuration: Invalid protobuf file: '{file}': 2:22 : ")
    with pytest.raises(StartupError, match="No such file or directory"):
        start(model_config_file=tmp_path / "missing")


def test_monitoring_is_on_may_move_and_may_be_switched_off(models: Path, tmp_path: Path, start: Start) -> None:
    assert configuration.metrics_path(None) == "/monitoring/prometheus/metrics"
    file = tmp_path / "monitoring.config"
    file.write_text('prometheus_config { enable: true path: "/metrics" }')
    _, client = start(model_name="add", model_base_path=str(models / "add"), monitoring_config_file=file)
    assert client.rest("/metrics")[0] == 200
    assert client.rest("/monitoring/prometheus/metrics")[0] == 404
    file.write_text("prometheus_config { enable: false }")
    assert configuration.metrics_path(file) is None
    file.write_text("nonsense")
    with pytest.raises(InvalidArgument, match="Invalid protobuf file"):
        configuration.metrics_path(file)


def test_health_is_that_of_the_configured_models(models: Path, tmp_path: Path, start: Start) -> None:
    _, client = start(model_name="add", model_base_path=str(models / "add"))
    stub = health_pb2_grpc.HealthStub(client.channel)

    def health(service: str = "") -> str:
        answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=30)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    eventually(lambda: health() == "SERVING")
    assert health("add") == "SERVING"
    assert health("tensorflow.serving.PredictionService") == "SERVING"
    (tmp_path / "empty").mkdir()
    refused(lambda: client.reload(config_of(entry(models / "add"), entry(tmp_path / "empty", name="empty"))))
    assert health() == "NOT_SERVING"
    assert health("add") == "SERVING"
    assert refused(lambda: health("nope")) == ("NOT_FOUND", "unknown service nope")

"""Which models are served, from where, which of their versions, and under which labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from google.protobuf import text_format

from modelserver.errors import FailedPrecondition, InvalidArgument
from modelserver.versions import VersionPolicy, policy_of
from protos.stubs.tensorflow_serving.config.model_server_config_pb2 import (
    TENSORFLOW,
    ModelConfig,
    ModelServerConfig,
)
from protos.stubs.tensorflow_serving.config.monitoring_config_pb2 import MonitoringConfig

METRICS_PATH = "/monitoring/prometheus/metrics"


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """One model of the configuration."""

    name: str
    base_path: Path
    """Absolute; holds the version folders."""

    policy: VersionPolicy = field(default_factory=VersionPolicy)
    labels: Mapping[str, int] = field(default_factory=dict)
    """Version by label."""


def of_one_model(name: str, base_path: str) -> ModelServerConfig:
    """Make the configuration that --model_name and --model_base_path stand for."""
    config = ModelServerConfig()
    # A folder named relative to where the server was started is meant so.
    config.model_config_list.config.add(
        name=name, base_path=str(Path(base_path).absolute()), model_platform="tensorflow"
    )
    return config


def parse(text: str, source: str) -> ModelServerConfig:
    """Read a ModelServerConfig in protobuf's text form; `source` names it in messages.

    Raises:
        InvalidArgument: the text is not of that form; the message has line and column.
    """
    try:
        return text_format.Parse(text, ModelServerConfig())
    except text_format.ParseError as error:
        raise InvalidArgument(f"Invalid protobuf file: '{source}': {error}") from error


def models(config: ModelServerConfig) -> tuple[ModelSettings, ...]:
    """Return the models of a configuration.

    Raises:
        InvalidArgument, FailedPrecondition: the configuration cannot be served; the texts are TensorFlow Serving's
            where it has one.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise InvalidArgument(
            "ServerModelConfig type not supported by HandleReloadConfigRequest."
            " Only ModelConfigList is currently supported"
        )
    found = tuple(_model(entry) for entry in config.model_config_list.config)
    names = [model.name for model in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidArgument(f"Illegal to list model {name} multiple times in config list")
    return found


def _model(entry: ModelConfig) -> ModelSettings:
    if not entry.name:
        raise InvalidArgument("Illegal to list a model without a name in config list")
    _check_platform(entry)
    if not Path(entry.base_path).is_absolute():
        raise InvalidArgument(
            f"Expected model {entry.name} to have an absolute path or URI; got base_path()={entry.base_path}"
        )
    return ModelSettings(
        name=entry.name,
        base_path=Path(entry.base_path),
        policy=policy_of(entry.model_version_policy),
        labels=dict(entry.version_labels),
    )


def _check_platform(entry: ModelConfig) -> None:
    if entry.model_type and entry.model_platform:
        raise InvalidArgument("Illegal setting both model_type(deprecated) and model_platform.")
    if not entry.model_type and not entry.model_platform:
        raise InvalidArgument("Illegal setting neither model_type(deprecated) nor model_platform.")
    platform = entry.model_platform or ("tensorflow" if entry.model_type == TENSORFLOW else "other")
    if platform != "tensorflow":
        raise FailedPrecondition(f"PlatformConfigMap has no entry for platform {platform}")


def metrics_path(file: Path | None) -> str | None:
    """Return where the metrics are, None when the file of --monitoring_config_file switches them off.

    Raises:
        InvalidArgument: the file cannot be read, or is no MonitoringConfig in text form.
    """
    if file is None:
        return METRICS_PATH
    try:
        config = text_format.Parse(file.read_text(encoding="utf-8"), MonitoringConfig()).prometheus_config
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise InvalidArgument(f"Invalid protobuf file: '{file}': {error}") from error
    return (config.path or METRICS_PATH) if config.enable else None

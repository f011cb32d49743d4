"""The command line: tensorflow_model_server's flags, and a few of our own."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from modelserver.errors import StartupError

# Flags of tensorflow_model_server that change nothing here. They are taken, with a warning, so that a manifest
# written for it starts this server too.
IGNORED = (
    "enable_batching",
    "batching_parameters_file",
    "allow_version_labels",
    "flush_filesystem_caches",
    "num_load_threads",
    "num_unload_threads",
    "tensorflow_session_parallelism",
    "tensorflow_session_config_file",
    "platform_config_file",
    "per_process_gpu_memory_fraction",
    "saved_model_tags",
    "enable_model_warmup",
    "num_request_iterations_for_warmup",
    "use_tflite_model",
    "num_tflite_interpreters_per_pool",
    "num_tflite_pools",
    "enable_signature_method_name_check",
    "xla_cpu_compilation_enabled",
    "xla_gpu_compilation_enabled",
    "enable_profiler",
    "enable_cors_support",
    "grpc_channel_arguments",
    "rest_api_enable_cors_support",
    "remove_unused_fields_from_bundle_metagraph",
    "prefer_tflite_model",
    "mixed_precision",
    "skip_initialize_tpu",
    "fail_if_no_model_versions_found",
    "servable_versions_always_present",
)

RuntimeName = Literal["openvino", "tensorflow"]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the server was started with."""

    grpc_port: int = 8500
    """0: any free one, for tests."""

    rest_port: int | None = None
    """None: no REST interface; 0: any free one, for tests."""

    bind_address: str = "[::]"
    """The address both interfaces listen on."""

    model_name: str = "default"
    model_base_path: str = ""
    model_config_file: Path | None = None
    """When set, the two above are ignored."""

    model_config_poll_seconds: float = 0.0
    """0: the file is read once."""

    file_system_poll_seconds: float = 1.0
    """0: the version folders are listed once, and again when the configuration changes."""

    monitoring_config_file: Path | None = None
    max_load_retries: int = 5
    load_retry_interval_seconds: float = 60.0
    runtime: RuntimeName = "openvino"
    threads: int = 0
    """Threads of one inference; 0: what the runtime finds fit for the machine."""

    parallel_inferences: int = 0
    """Inferences of one model at the same time; 0: what the runtime finds fit for the machine."""

    rest_threads: int = 0
    """REST requests answered at the same time; 0: four per core."""

    rest_timeout_seconds: float = 30.0
    """After so long without a byte a REST connection is closed."""

    drain_seconds: float = 10.0
    """How long requests that are under way may go on after SIGTERM."""

    answers_as_tensor_content: bool = True
    """Tensors of answers as raw bytes; otherwise as the typed lists that tensorflow_model_server sends by default."""

    grpc_health: bool = True
    labels_for_unavailable_versions: bool = False
    ignored: tuple[str, ...] = ()
    """Names of flags that were given and do nothing here."""


def parse(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line.

    Raises:
        StartupError: neither a model nor a configuration file is named, or both interfaces want one port.
    """
    given = _parser().parse_args(arguments)
    options = _options(given)
    if options.model_config_file is None and not options.model_base_path:
        raise StartupError(
            "command line: neither --model_config_file nor --model_base_path is given, so there is nothing to serve; "
            "name a file with a ModelServerConfig, or the folder that holds the version folders of one model"
        )
    if options.rest_port and options.rest_port == options.grpc_port:
        raise StartupError(
            f"command line: --rest_api_port and --port are both {options.grpc_port}, and one port speaks one protocol; "
            "give REST a port of its own, 8501 by custom"
        )
    return options


def _options(given: argparse.Namespace) -> Options:
    return Options(
        grpc_port=given.port,
        rest_port=given.rest_api_port or None,
        bind_address=given.bind_address,
        model_name=given.model_name,
        model_base_path=given.model_base_path,
        model_config_file=given.model_config_file,
        model_config_poll_seconds=given.model_config_file_poll_wait_seconds,
        file_system_poll_seconds=given.file_system_poll_wait_seconds,
        monitoring_config_file=given.monitoring_config_file,
        max_load_retries=given.max_num_load_retries,
        load_retry_interval_seconds=given.load_retry_interval_micros / 1e6,
        runtime=given.runtime,
        threads=given.tensorflow_intra_op_parallelism,
        parallel_inferences=given.tensorflow_inter_op_parallelism,
        rest_threads=given.rest_api_num_threads or 4 * (os.cpu_count() or 1),
        rest_timeout_seconds=given.rest_api_timeout_in_ms / 1e3,
        drain_seconds=given.drain_seconds,
        answers_as_tensor_content=given.enable_serialization_as_tensor_content,
        grpc_health=given.enable_grpc_healthcheck_service,
        labels_for_unavailable_versions=given.allow_version_labels_for_unavailable_models,
        ignored=tuple(name for name in IGNORED if getattr(given, name) is not None),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="modelserver", description=__doc__, allow_abbrev=False)
    _add_interfaces(parser)
    _add_models(parser)
    _add_inference(parser)
    for name in IGNORED:
        parser.add_argument(f"--{name}", nargs="?", const="true", help=argparse.SUPPRESS)
    return parser


def _add_interfaces(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("interfaces")
    group.add_argument("--port", type=_port, default=8500, metavar="N", help="gRPC port (8500)")
    group.add_argument("--rest_api_port", type=_port, default=0, metavar="N", help="REST port; 0: no REST (0)")
    group.add_argument("--rest_api_num_threads", type=int, default=0, metavar="N", help="REST requests at a time")
    group.add_argument("--rest_api_timeout_in_ms", type=int, default=30000, metavar="N", help="for an idle connection")
    group.add_argument("--bind_address", default="[::]", metavar="A", help="ours: address to listen on ([::])")
    group.add_argument("--monitoring_config_file", type=Path, metavar="F", help="text MonitoringConfig; metrics are on")
    _add_boolean(group, "enable_grpc_healthcheck_service", True, "serve grpc.health.v1 (on)")
    group.add_argument("--drain_seconds", type=float, default=10.0, metavar="S", help="ours: after SIGTERM (10)")


def _add_models(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("models")
    group.add_argument("--model_name", default="default", metavar="M", help="of the one model at --model_base_path")
    group.add_argument("--model_base_path", default="", metavar="DIR", help="folder that holds the version folders")
    group.add_argument("--model_config_file", type=Path, metavar="F", help="text ModelServerConfig with several models")
    group.add_argument("--model_config_file_poll_wait_seconds", type=float, default=0, metavar="S", help="0: read once")
    group.add_argument("--file_system_poll_wait_seconds", type=float, default=1, metavar="S", help="0: list once (1)")
    group.add_argument("--max_num_load_retries", type=int, default=5, metavar="N", help="of an unchanged version (5)")
    group.add_argument("--load_retry_interval_micros", type=int, default=60_000_000, metavar="US", help="between them")
    _add_boolean(group, "allow_version_labels_for_unavailable_models", False, "labels ahead of their version (off)")


def _add_inference(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("inference")
    group.add_argument("--runtime", choices=("openvino", "tensorflow"), default="openvino", help="ours (openvino)")
    group.add_argument("--tensorflow_intra_op_parallelism", type=int, default=0, metavar="N", help="threads of one")
    group.add_argument("--tensorflow_inter_op_parallelism", type=int, default=0, metavar="N", help="at the same time")
    _add_boolean(group, "enable_serialization_as_tensor_content", True, "answers as raw bytes (on)")


def _add_boolean(group: argparse._ArgumentGroup, name: str, default: bool, text: str) -> None:
    group.add_argument(f"--{name}", type=_boolean, nargs="?", const=True, default=default, metavar="B", help=text)


def _boolean(text: str) -> bool:
    """Read a boolean as TensorFlow's flags do: --flag, --flag=true, --flag=false, 1 and 0."""
    values = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in values:
        raise argparse.ArgumentTypeError(f"'{text}' is neither true nor false")
    return values[text.lower()]


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is no port number (0 to 65535)")
    return int(text)

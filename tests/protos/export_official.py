"""Write the file descriptors of tensorflow-serving-api, dependencies first, to the file named on the command line."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from google.protobuf import descriptor_pb2

MODULES = [
    "tensorflow_serving.apis.prediction_service_pb2",
    "tensorflow_serving.apis.model_service_pb2",
    "tensorflow_serving.config.file_system_storage_path_source_pb2",
    "tensorflow.core.protobuf.saved_model_pb2",
]


def collect(file, seen, into) -> None:
    """Add `file` after everything that it imports."""
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        collect(dependency, seen, into)
    into.file.add().ParseFromString(file.serialized_pb)


def main() -> None:
    """Export the modules above."""
    exported = descriptor_pb2.FileDescriptorSet()
    seen: set[str] = set()
    for module in MODULES:
        collect(importlib.import_module(module).DESCRIPTOR, seen, exported)
    Path(sys.argv[1]).write_bytes(exported.SerializeToString())


if __name__ == "__main__":
    main()

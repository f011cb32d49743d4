"""The official definitions of the protocol, read from the official package without importing it here."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from protos.build import build_if_stale

build_if_stale()

EXPORT = Path(__file__).with_name("export_official.py")


@pytest.fixture(scope="session")
def official(tmp_path_factory: pytest.TempPathFactory) -> descriptor_pool.DescriptorPool:
    """A pool with every definition of tensorflow-serving-api.

    The package imports all of TensorFlow, so another process exports its file descriptors, and messages of the
    official types are made from them here.
    """
    target = tmp_path_factory.mktemp("official") / "descriptors.pb"
    subprocess.run([sys.executable, str(EXPORT), str(target)], check=True, timeout=120, capture_output=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes()).file:
        pool.AddSerializedFile(file.SerializeToString())
    return pool

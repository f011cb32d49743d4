"""What our .proto files define: the list that the tests run over."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FileDescriptor, ServiceDescriptor

from protos.build import proto_files

# Not in the official package: gRPC's health protocol, and a file that exists in text form only.
UNOFFICIAL = {"grpc/health/v1/health.proto", "tensorflow_serving/config/monitoring_config.proto"}


def files() -> list[FileDescriptor]:
    """Return the descriptors of the files that the official package defines too."""
    names = [str(name) for name in proto_files() if str(name) not in UNOFFICIAL]
    return [importlib.import_module(f"protos.stubs.{n[:-6].replace('/', '.')}_pb2").DESCRIPTOR for n in names]


def messages() -> list[Descriptor]:
    """Return every message, also the nested ones, without the entries of maps."""
    found = [m for file in files() for top in file.message_types_by_name.values() for m in _with_nested(top)]
    return [m for m in found if not m.GetOptions().map_entry]


def enums() -> list[EnumDescriptor]:
    """Return every enum, also the nested ones."""
    nested = [enum for message in messages() for enum in message.enum_types]
    return [enum for file in files() for enum in file.enum_types_by_name.values()] + nested


def services() -> list[ServiceDescriptor]:
    """Return every service."""
    return [service for file in files() for service in file.services_by_name.values()]


def _with_nested(message: Descriptor) -> Iterator[Descriptor]:
    yield message
    for nested in message.nested_types:
        yield from _with_nested(nested)

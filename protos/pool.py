"""The descriptor pool that the generated stubs register in."""

from __future__ import annotations

from google.protobuf import any_pb2, descriptor_pool, wrappers_pb2

POOL = descriptor_pool.DescriptorPool()
"""Holds our definitions, apart from protobuf's default pool, where TensorFlow's own would collide with them."""

for _module in (any_pb2, wrappers_pb2):
    POOL.AddSerializedFile(_module.DESCRIPTOR.serialized_pb)

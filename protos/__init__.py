"""The part of the TensorFlow Serving protocol that KubEVC speaks, and the stubs generated from it.

`python -m protos.build` writes the package `protos.stubs` from the .proto files in this folder.
An image that speaks the protocol carries this package (`__init__.py`, `pool.py`) with `stubs/` in it; it needs protobuf
and grpcio, neither grpcio-tools nor TensorFlow.

The stubs register in a pool of their own (`protos.pool`), so that TensorFlow can be imported in the same process. For
the same reason their `Any` and `Int64Value` are not the classes of `google.protobuf`: write
`spec.version.value = 3`, not `ModelSpec(version=Int64Value(value=3))`.
"""

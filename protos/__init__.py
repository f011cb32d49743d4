"""The part of the TensorFlow Serving protocol that KubEVC speaks, and the stubs generated from it.

`python -m protos.build` writes the package `protos.stubs` from the .proto files in this folder.
"""

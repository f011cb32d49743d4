"""A small server of the TensorFlow Serving protocol, for nodes where Google's has no image or no room.

It takes the command line of `tensorflow_model_server`, serves the same gRPC and REST interfaces on the same ports, and
is not Google's program: docs/modelserver.md says what it does differently and what it does not do.
"""

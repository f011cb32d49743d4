"""The endpoint proxy: pictures and JSON in over HTTP, tensors to a model server over gRPC, answers out as JSON."""

__version__ = "0.1.0"
"""The version in pyproject.toml; an image has no such file."""

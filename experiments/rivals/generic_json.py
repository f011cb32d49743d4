"""Protobuf's own JSON form of an answer, as its library for Python writes it."""

from __future__ import annotations

from google.protobuf.json_format import MessageToJson

from protos.stubs.tensorflow_serving.apis.predict_pb2 import PredictResponse


def as_json(answer: bytes) -> bytes:
    """Parse a PredictResponse and write it as JSON."""
    return MessageToJson(PredictResponse.FromString(answer), indent=None).encode()

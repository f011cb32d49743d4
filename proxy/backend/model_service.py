"""The model service: status and metadata of a model, as its server tells them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
)
from protos.stubs.tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse
from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec
from proxy.backend.channel import GET_METADATA, GET_STATUS, CallContext, ModelChannel
from proxy.backend.signatures import SIGNATURE_FIELD, ModelDescription, read_description, unpack_signatures

REFRESH_SECONDS = 5.0
"""How long a description is believed; a new version is noticed earlier by the first answer that it gives."""


class ModelService:
    """Ask a model's server about the model, remembering its signatures."""

    def __init__(self, model: str, channel: ModelChannel) -> None:
        self._spec = ModelSpec(name=model)
        self._channel = channel
        self._known: ModelDescription | None = None
        self._known_until = 0.0
        self._asking = asyncio.Lock()

    async def describe(self, context: CallContext) -> ModelDescription:
        """Return the model's signatures, asking the server when the last answer is too old.

        Raises:
            BackendError: The server cannot be asked.
            AnswerInvalid: It has no signatures to tell.
        """
        async with self._asking:
            if self._known is None or time.monotonic() > self._known_until:
                self._known = read_description(await self._ask_metadata(context))
                self._known_until = time.monotonic() + REFRESH_SECONDS
            return self._known

    def note_version(self, version: int) -> None:
        """Forget the signatures when an answer comes from another version than they do."""
        if self._known is not None and self._known.version != version:
            self._known = None

    async def metadata(self, context: CallContext) -> dict[str, Any]:
        """Return the metadata in the form of TensorFlow Serving's REST API."""
        response = await self._ask_metadata(context)
        signatures = _as_dict(unpack_signatures(response))
        return {"model_spec": _as_dict(response.model_spec), "metadata": {SIGNATURE_FIELD: signatures}}

    async def status(self, context: CallContext) -> dict[str, Any]:
        """Return the state of the model's versions in the form of TensorFlow Serving's REST API."""
        request = GetModelStatusRequest(model_spec=self._spec)
        data = await self._channel.call(GET_STATUS, request.SerializeToString(), context)
        return _as_dict(GetModelStatusResponse.FromString(data))

    async def _ask_metadata(self, context: CallContext) -> GetModelMetadataResponse:
        request = GetModelMetadataRequest(model_spec=self._spec, metadata_field=[SIGNATURE_FIELD])
        return GetModelMetadataResponse.FromString(
            await self._channel.call(GET_METADATA, request.SerializeToString(), context)
        )


def _as_dict(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)

"""The model service: status and metadata of a model, as its servers tell them."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message

from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
)
from protos.stubs.tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse
from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec
from proxy.backend.call import LATEST, Selector
from proxy.backend.channel import GET_METADATA, GET_STATUS, ModelChannel
from proxy.backend.context import CallContext
from proxy.backend.description import KnownDescription
from proxy.backend.settings import BackendSettings
from proxy.backend.signatures import SIGNATURE_FIELD, ModelDescription, read_description, unpack_signatures
from proxy.errors import AnswerInvalid
from proxy.wire.model_spec import model_spec

_DEFAULTS = BackendSettings()
_MAX_KNOWN = 64
"""Versions and labels remembered; a sender who counts through the numbers must not fill the memory."""


class ModelService:
    """Ask a model's servers about the model, remembering its signatures per version or label."""

    def __init__(self, model: str, channel: ModelChannel, settings: BackendSettings = _DEFAULTS) -> None:
        self._model = model
        self._channel = channel
        self._settings = settings
        self._known: dict[Selector, KnownDescription] = {}

    async def describe(self, context: CallContext, selector: Selector = LATEST) -> ModelDescription:
        """Return the signatures of a version, asking a server when the last answer is too old.

        However many requests ask, one call is under way. While it fails, what was known before serves on for
        `stale_seconds`: a server that reloads its model must not stop those who use it.

        Raises:
            BackendError: No server can be asked.
            AnswerInvalid: It has no signatures to tell.
            DeadlineExceeded: The answer did not come in the request's time.
        """
        return await self._of(selector).current(context)

    async def refresh(self, context: CallContext, selector: Selector = LATEST) -> ModelDescription:
        """Ask a server now, or share the answer of a call that is under way, and return what it says.

        Raises:
            BackendError: No server can be asked.
            AnswerInvalid: It has no signatures to tell.
            DeadlineExceeded: The answer did not come in the request's time.
        """
        return await self._of(selector).ask_now(context)

    def note_version(self, version: int, selector: Selector = LATEST) -> None:
        """Have the signatures asked for again when an answer came from another version than they did."""
        if selector in self._known:
            self._known[selector].note_version(version)

    async def metadata(self, context: CallContext, selector: Selector = LATEST) -> dict[str, Any]:
        """Return the metadata in the form of TensorFlow Serving's REST API.

        Raises:
            BackendError: No server can be asked.
            AnswerInvalid: It has no signatures to tell.
        """
        response = await self._ask_metadata(selector, context)
        signatures = _as_dict(unpack_signatures(response))
        return {"model_spec": _as_dict(response.model_spec), "metadata": {SIGNATURE_FIELD: signatures}}

    async def status(self, context: CallContext, selector: Selector = LATEST) -> dict[str, Any]:
        """Return the state of the model's versions in the form of TensorFlow Serving's REST API.

        Raises:
            BackendError: No server can be asked.
            AnswerInvalid: What came is no status.
        """
        request = GetModelStatusRequest(model_spec=self._spec(selector))
        reply = await self._channel.ask(GET_STATUS, request.SerializeToString(), context, elsewhere_if_missing=True)
        try:
            return _as_dict(GetModelStatusResponse.FromString(reply.data))
        except DecodeError as error:
            raise _unreadable("status") from error

    async def close(self) -> None:
        """Stop asking."""
        await asyncio.gather(*(known.close() for known in self._known.values()))

    def _of(self, selector: Selector) -> KnownDescription:
        if selector not in self._known:
            self._forget_the_oldest()

            async def ask(context: CallContext) -> ModelDescription:
                return read_description(await self._ask_metadata(selector, context))

            self._known[selector] = KnownDescription(ask, self._settings, f"metadata of {self._model!r}")
        return self._known[selector]

    def _forget_the_oldest(self) -> None:
        if len(self._known) >= _MAX_KNOWN:
            idle = [selector for selector, known in self._known.items() if selector != LATEST and not known.is_asking]
            oldest = min(idle, key=lambda selector: self._known[selector].used_at, default=None)
            if oldest is not None:
                del self._known[oldest]

    async def _ask_metadata(self, selector: Selector, context: CallContext) -> GetModelMetadataResponse:
        request = GetModelMetadataRequest(model_spec=self._spec(selector), metadata_field=[SIGNATURE_FIELD])
        reply = await self._channel.ask(GET_METADATA, request.SerializeToString(), context, elsewhere_if_missing=True)
        try:
            return GetModelMetadataResponse.FromString(reply.data)
        except DecodeError as error:
            raise _unreadable("metadata") from error

    def _spec(self, selector: Selector) -> ModelSpec:
        return model_spec(self._model, selector)


def _unreadable(what: str) -> AnswerInvalid:
    return AnswerInvalid(
        where=f"answer of the model server > {what}",
        found="bytes that cannot be read",
        reason="The proxy speaks the TensorFlow Serving protocol",
        remedy="Check that the target is a server of this protocol",
    )


def _as_dict(message: Message) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)

"""The channel to the servers of a model: serialised messages out and in, gRPC's errors as the proxy's."""

from __future__ import annotations

from collections.abc import Sequence

import grpc.aio

from proxy.backend.addresses import Resolve, parse_target, resolve_by_dns
from proxy.backend.context import CallContext as CallContext
from proxy.backend.failures import NoAddress, call_failed, no_address
from proxy.backend.replica import Reply
from proxy.backend.replicas import Replicas
from proxy.backend.settings import BackendSettings
from proxy.backend.watcher import UNWATCHED, Watcher

PREDICT = "/tensorflow.serving.PredictionService/Predict"
CLASSIFY = "/tensorflow.serving.PredictionService/Classify"
REGRESS = "/tensorflow.serving.PredictionService/Regress"
GET_METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"
GET_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"

_DEFAULTS = BackendSettings()


class ModelChannel:
    """Speak to the servers of one model, in serialised messages."""

    def __init__(
        self,
        model: str,
        target: str | Sequence[str],
        settings: BackendSettings = _DEFAULTS,
        resolve: Resolve = resolve_by_dns,
        watcher: Watcher = UNWATCHED,
    ) -> None:
        """Remember where the servers are; nothing is connected before the first call.

        Raises:
            ValueError: See `parse_target`.
        """
        self._model = model
        self.replicas = Replicas(parse_target(target), settings, resolve, watcher)

    async def call(self, method: str, request: bytes, context: CallContext) -> bytes:
        """Call a method, one of the constants of this file.

        Raises:
            BackendError: A server answered an error, none could be reached, or not in time.
        """
        return (await self.ask(method, request, context)).data

    async def ask(
        self, method: str, request: bytes, context: CallContext, *, elsewhere_if_missing: bool = False
    ) -> Reply:
        """Call a method as `call` does, and return what else came with the answer; see `Replicas.call`."""
        try:
            return await self.replicas.call(method, request, context, elsewhere_if_missing=elsewhere_if_missing)
        except grpc.aio.AioRpcError as error:
            raise call_failed(self._model, error) from error
        except NoAddress as error:
            raise no_address(self._model, error) from error

    async def close(self) -> None:
        """Close the connections, cancelling what is still under way."""
        await self.replicas.close()

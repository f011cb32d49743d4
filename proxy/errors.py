"""The errors of the proxy, as one tree.

    ProxyError
    ├── RequestError            the sender can mend it
    │   ├── InvalidPicture      400
    │   ├── InvalidVideo        400
    │   ├── InvalidAddress      400
    │   ├── PictureTooLarge     413
    │   ├── InvalidJson         400
    │   ├── InvalidTensor       400
    │   ├── InvalidText         400
    │   ├── InvalidHeader       400
    │   ├── InvalidQuery        400
    │   ├── InvalidCompression  400
    │   ├── NotAcceptable       406
    │   ├── UnsupportedContent  415
    │   ├── BodyTooLarge        413
    │   ├── BodyTooSlow         408
    │   ├── HeadTooSlow         408
    │   ├── HeadTooLarge        431
    │   ├── InvalidHttp         400
    │   ├── Unauthenticated     401, with WWW-Authenticate
    │   ├── Forbidden           403
    │   ├── TooManyRequests     429, with Retry-After
    │   ├── UnknownModel        404
    │   └── UnknownRoute        404 or 405
    ├── Busy                    503, with Retry-After
    ├── IssuerUnavailable       503, with Retry-After
    ├── ClientLeft              499, nobody reads it
    ├── DeadlineExceeded        504
    ├── BackendError            what the model server said, see `channel.py`
    ├── AnswerInvalid           502
    ├── CardMismatch            500
    ├── InternalError           500, a bug of ours
    ├── ConfigError             before the first request: the proxy does not start
    └── SmokeFailed             the smoke request was not answered, or not well

A message to a person has four parts: where, what was found, why it matters, what to do about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class ProxyError(Exception):
    """Say where something is wrong, what was found, why it matters and what to do.

    Attributes:
        status: The HTTP status of the answer.
        code: A short fixed name of the kind of error, for programs.
        retry_after_seconds: When to try again, or None where a repeated request would fail as well.
        headers: What else stands in the head of the answer.
    """

    status: int = 500
    code: str = "internal"
    retry_after_seconds: int | None = None
    headers: Mapping[str, str] = MappingProxyType({})

    def __init__(self, where: str, found: str, reason: str, remedy: str) -> None:
        super().__init__(where, found, reason, remedy)
        self.where = where
        self.found = found
        self.reason = reason
        self.remedy = remedy

    @property
    def message(self) -> str:
        """Return the four parts as one text."""
        return f"{self.where}: {self.found}. {self.reason}. {self.remedy}."

    def __str__(self) -> str:
        return self.message


class RequestError(ProxyError):
    """A request that its sender has to change."""

    status = 400
    code = "invalid-request"


class InvalidPicture(RequestError):
    """A body that is not a picture the proxy can decode."""

    code = "invalid-picture"


class InvalidVideo(RequestError):
    """A body that is not a video the proxy can decode."""

    code = "invalid-video"


class InvalidAddress(RequestError):
    """An address from which the proxy fetches no picture, or got none."""

    code = "invalid-address"


class PictureTooLarge(RequestError):
    """A picture with more pixels than the proxy decodes."""

    status = 413
    code = "picture-too-large"


class InvalidJson(RequestError):
    """A body that is not JSON, or not of the form of a predict request."""

    code = "invalid-json"


class InvalidTensor(RequestError):
    """Values that do not fit the shape or the type of the model's input."""

    code = "invalid-tensor"


class InvalidText(RequestError):
    """A body that is no text, or not one that the model's tokeniser takes."""

    code = "invalid-text"


class InvalidHeader(RequestError):
    """A request header with a value that cannot be used."""

    code = "invalid-header"


class InvalidQuery(RequestError):
    """An option in the query of a request that there is not, or with a value that cannot be used."""

    code = "invalid-query"


class InvalidCompression(RequestError):
    """A compressed body that cannot be unpacked."""

    code = "invalid-compression"


class NotAcceptable(RequestError):
    """A form of the answer that the proxy does not write, or not for this model."""

    status = 406
    code = "not-acceptable"


class UnsupportedContent(RequestError):
    """A body of a type that the proxy or this model does not take."""

    status = 415
    code = "unsupported-content"


class BodyTooLarge(RequestError):
    """A body of more bytes than the proxy takes."""

    status = 413
    code = "body-too-large"


class BodyTooSlow(RequestError):
    """A body that did not arrive before the deadline of its request."""

    status = 408
    code = "body-too-slow"


class HeadTooSlow(RequestError):
    """A request whose line and headers did not come in time."""

    status = 408
    code = "head-too-slow"


class HeadTooLarge(RequestError):
    """A request with more or longer headers than the proxy reads."""

    status = 431
    code = "head-too-large"


class InvalidHttp(RequestError):
    """Bytes that are no HTTP request."""

    code = "invalid-http"


class Unauthenticated(RequestError):
    """A request of a client that the proxy does not know."""

    status = 401
    code = "unauthenticated"
    headers: Mapping[str, str] = MappingProxyType({"www-authenticate": 'Bearer realm="kubevc"'})


class Forbidden(RequestError):
    """A request of a known client for something that it may not have."""

    status = 403
    code = "forbidden"


class TooManyRequests(RequestError):
    """A request over the limit of its client."""

    status = 429
    code = "too-many-requests"

    def __init__(
        self, where: str, found: str, reason: str, remedy: str, retry_after_seconds: int, headers: Mapping[str, str]
    ) -> None:
        super().__init__(where, found, reason, remedy)
        self.retry_after_seconds = retry_after_seconds
        self.headers = headers


class UnknownModel(RequestError):
    """A model that the proxy was not configured with."""

    status = 404
    code = "unknown-model"


class UnknownRoute(RequestError):
    """A path or a method that the proxy does not have."""

    status = 404
    code = "unknown-route"

    def __init__(self, where: str, found: str, reason: str, remedy: str, status: int = 404) -> None:
        super().__init__(where, found, reason, remedy)
        self.status = status


class Busy(ProxyError):
    """More requests at once than the proxy takes."""

    status = 503
    code = "busy"
    retry_after_seconds = 1


class IssuerUnavailable(ProxyError):
    """A token that cannot be checked, because its issuer's keys could not be had."""

    status = 503
    code = "issuer-unavailable"
    retry_after_seconds = 5


class ClientLeft(ProxyError):
    """A sender that closed its connection before the answer."""

    status = 499
    code = "client-left"


class DeadlineExceeded(ProxyError):
    """A request that was not answered in its time."""

    status = 504
    code = "deadline-exceeded"


class BackendError(ProxyError):
    """An error that the model server answered, or that the way to it had."""

    code = "model-server"

    def __init__(self, status: int, where: str, found: str, reason: str, remedy: str) -> None:
        super().__init__(where, found, reason, remedy)
        self.status = status
        self.retry_after_seconds = self._RETRY_AFTER.get(status)

    _RETRY_AFTER: ClassVar[dict[int, int]] = {429: 1, 503: 1}


class AnswerInvalid(ProxyError):
    """An answer of the model server that cannot be turned into an answer of the proxy."""

    status = 502
    code = "invalid-answer"


class CardMismatch(ProxyError):
    """A model card that does not fit the model it stands beside."""

    code = "card-mismatch"


class InternalError(ProxyError):
    """A bug of the proxy: the log has the traceback under the request id."""


class ConfigError(ProxyError):
    """A configuration file or model card that the proxy cannot start with."""

    code = "invalid-config"


class SmokeFailed(ProxyError):
    """A smoke request without an answer of the right form."""

    code = "smoke-failed"

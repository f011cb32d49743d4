"""Everything that can go wrong, with the code that a client sees.

    ModelServerError
    ├── StartupError                 the server cannot start: a message for the person who started it, exit status 1
    └── RequestError                 an answer to a request, with a gRPC code
        ├── InvalidArgument          INVALID_ARGUMENT     400
        ├── DeadlineExceeded         DEADLINE_EXCEEDED    504
        ├── NotFound                 NOT_FOUND            404
        ├── FailedPrecondition       FAILED_PRECONDITION  400
        ├── Unimplemented            UNIMPLEMENTED        501
        ├── Internal                 INTERNAL             500
        ├── Unavailable              UNAVAILABLE          503
        └── Unknown                  UNKNOWN              500

Messages of requests are TensorFlow Serving's own where it has one, because clients compare them.
"""

from __future__ import annotations

from typing import ClassVar

from protos.stubs.tensorflow.core.protobuf.error_codes_pb2 import Code


class ModelServerError(Exception):
    """Anything that this program raises on purpose."""


class StartupError(ModelServerError):
    """The server cannot start as it was told to."""


class RequestError(ModelServerError):
    """A request, or the loading of a version, that ends with a code and a message."""

    code: ClassVar[Code] = Code.UNKNOWN

    @property
    def message(self) -> str:
        """Return the text that the client gets."""
        return str(self)


class InvalidArgument(RequestError):
    """The request is wrong whatever the state of the server."""

    code = Code.INVALID_ARGUMENT


class DeadlineExceeded(RequestError):
    """The time that the client gave is over."""

    code = Code.DEADLINE_EXCEEDED


class NotFound(RequestError):
    """There is no such model, version or file."""

    code = Code.NOT_FOUND


class FailedPrecondition(RequestError):
    """The request is well formed and does not fit the state of the server or the model."""

    code = Code.FAILED_PRECONDITION


class Unimplemented(RequestError):
    """This server, or the runtime it was started with, cannot do that."""

    code = Code.UNIMPLEMENTED


class Internal(RequestError):
    """The fault is on our side."""

    code = Code.INTERNAL


class Unavailable(RequestError):
    """Not now; later it may work."""

    code = Code.UNAVAILABLE


class Unknown(RequestError):
    """TensorFlow Serving answers UNKNOWN here."""

    code = Code.UNKNOWN

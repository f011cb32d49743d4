"""GetModelStatus and GetModelMetadata as messages: what gRPC and REST share."""

from __future__ import annotations

from modelserver.catalog import Catalog
from modelserver.errors import InvalidArgument
from protos.stubs.tensorflow.core.protobuf.error_codes_pb2 import Code
from protos.stubs.tensorflow_serving.apis.get_model_metadata_pb2 import (
    GetModelMetadataRequest,
    GetModelMetadataResponse,
    SignatureDefMap,
)
from protos.stubs.tensorflow_serving.apis.get_model_status_pb2 import GetModelStatusRequest, GetModelStatusResponse

SIGNATURES = "signature_def"


def status(catalog: Catalog, request: GetModelStatusRequest) -> GetModelStatusResponse:
    """Answer GetModelStatus. Raises RequestError."""
    if not request.HasField("model_spec"):
        raise InvalidArgument("Missing ModelSpec")
    response = GetModelStatusResponse()
    for version in catalog.statuses(request.model_spec):
        entry = response.model_version_status.add(version=version.version, state=version.state)
        entry.status.error_code = version.error.code if version.error else Code.OK
        entry.status.error_message = version.error.message if version.error else ""
    return response


def metadata(catalog: Catalog, request: GetModelMetadataRequest) -> GetModelMetadataResponse:
    """Answer GetModelMetadata. Raises RequestError."""
    if not request.HasField("model_spec"):
        raise InvalidArgument("Missing ModelSpec")
    if not request.metadata_field:
        raise InvalidArgument("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != SIGNATURES:
            raise InvalidArgument(f"Metadata field {field} is not supported")
    response = GetModelMetadataResponse()
    signatures = SignatureDefMap()
    with catalog.borrow(request.model_spec) as servable:
        for name, definition in servable.signatures.items():
            signatures.signature_def[name].CopyFrom(definition)
        response.model_spec.name = servable.name
        response.model_spec.version.value = servable.version
    response.metadata[SIGNATURES].Pack(signatures)
    return response

"""Documents: what was found on one picture, as a part of a larger JSON document."""

from __future__ import annotations

from typing import Any

from proxy.outputs.answers import jsonable_outputs
from proxy.outputs.found import classifications_document, detections_document
from proxy.outputs.result import ClassificationsResult, DetectionsResult, Result
from proxy.outputs.style import Style


def document(result: Result, style: Style) -> dict[str, Any]:
    """Return a result ready for `orjson`."""
    if isinstance(result, DetectionsResult):
        return detections_document(result, style)
    if isinstance(result, ClassificationsResult):
        return classifications_document(result, style)
    prediction = result.prediction
    outputs = jsonable_outputs(prediction.outputs, style.decimals)
    return {"model": style.model, "version": str(prediction.version), "outputs": outputs}

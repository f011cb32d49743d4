"""Reading what was found: by the card's decoder in the proxy, or already done in the model's graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from proxy import signature_names
from proxy.backend.call import Arrays
from proxy.decoders.in_graph import read_detections, read_top_k
from proxy.decoders.registry import Decoder
from proxy.decoders.results import Classifications, Detections
from proxy.decoders.top_k import TopK
from proxy.document import Document
from proxy.errors import InvalidQuery
from proxy.outputs.result import ClassificationsResult, DetectionsResult, PictureFile, Result, TensorsResult
from proxy.pictures.frame import Frame
from proxy.pictures.picture_input import PictureInput
from proxy.tasks.task import Subject
from proxy.tasks.ways import Way
from proxy.wire.predictions import Prediction

D = TypeVar("D", bound=Document)
Read = Callable[[Prediction], Detections | Classifications]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Hold how a prediction about a picture is read."""

    kind: type[Result]
    parameters: Arrays
    """What the graph must be told beside the picture, such as thresholds."""
    read: Read | None
    """None: the plain tensors are wanted."""

    def text_interpreter(self) -> Callable[[Prediction], Result]:
        """Return the function that reads a prediction about a text."""

        def interpret(prediction: Prediction) -> Result:
            if self.read is None:
                return TensorsResult(prediction=prediction)
            found = self.read(prediction)
            assert isinstance(found, Classifications)
            return ClassificationsResult(version=prediction.version, found=found, file=None)

        return interpret

    def interpreter(self, frame: Frame, file: PictureFile | None) -> Callable[[Prediction], Result]:
        """Return the function that reads a prediction about the picture of this frame."""

        def interpret(prediction: Prediction) -> Result:
            if self.read is None:
                return TensorsResult(prediction=prediction)
            return _placed(self.read(prediction), prediction.version, frame, file)

        return interpret


def reading_of_text(subject: Subject) -> Reading:
    """Return how the answer to a text is read.

    Raises:
        InvalidQuery: The request sets a threshold that the card's decoder has not.
    """
    decoder = subject.card.document.output
    if not isinstance(decoder, TopK) or subject.wants_tensors:
        return Reading(kind=TensorsResult, parameters={}, read=None)
    decoder = _changed(decoder, subject)
    labels = len(subject.card.labels)
    return Reading(
        kind=ClassificationsResult,
        parameters={},
        read=lambda prediction: decoder.likeliest(prediction.outputs, labels),
    )


def reading_of(subject: Subject, spec: PictureInput, way: Way) -> Reading:
    """Return how the answer to a call on some way is read.

    Raises:
        InvalidQuery: The request sets a threshold that the card's decoder has not.
    """
    decoder = subject.card.document.output
    if decoder is None or subject.wants_tensors:
        return Reading(kind=TensorsResult, parameters={}, read=None)
    kind = DetectionsResult if decoder.task == "object-detection" else ClassificationsResult
    decoder = _changed(decoder, subject)
    if way.in_graph:
        return Reading(kind=kind, parameters=_graph_parameters(decoder), read=_graph_reader(decoder))
    labels = len(subject.card.labels)

    def read(prediction: Prediction) -> Detections | Classifications:
        return decoder.decode(prediction.outputs, spec, labels)

    return Reading(kind=kind, parameters={}, read=read)


def _graph_parameters(decoder: Decoder) -> Arrays:
    """Return the thresholds that the graph is told, each a scalar."""
    if isinstance(decoder, TopK):
        return {signature_names.K: np.array(decoder.k, np.int32)}
    return {
        signature_names.SCORE_THRESHOLD: np.array(decoder.score_threshold, np.float32),
        signature_names.IOU_THRESHOLD: np.array(decoder.iou_threshold, np.float32),
        signature_names.MAX_DETECTIONS: np.array(decoder.max_detections, np.int32),
    }


def _graph_reader(decoder: Decoder) -> Read:
    read = read_top_k if isinstance(decoder, TopK) else read_detections
    return lambda prediction: read(prediction.outputs)


def _changed(decoder: D, subject: Subject) -> D:
    """Return the card's decoder with the thresholds of this request."""
    changes = subject.options.decoder_changes()
    if strange := sorted(changes.keys() - type(decoder).model_fields.keys()):
        raise InvalidQuery(
            where=f"query > {'top_k' if strange[0] == 'k' else strange[0]}",
            found=f"a value for {subject.model!r}",
            reason=f"The decoder {subject.card.document.output_name} of the model's card has no such setting",
            remedy="Leave it out",
        )
    return decoder.model_copy(update=changes)


def _placed(found: Detections | Classifications, version: int, frame: Frame, file: PictureFile | None) -> Result:
    """Put what was found onto the picture that was sent; boxes wholly outside of it are left out."""
    if isinstance(found, Classifications):
        return ClassificationsResult(version=version, found=found, file=file)
    boxes = frame.boxes_to_source(found.boxes)
    seen = (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    on_picture = Detections(boxes=boxes[seen], scores=found.scores[seen], classes=found.classes[seen])
    return DetectionsResult(version=version, found=on_picture, frame=frame, file=file)

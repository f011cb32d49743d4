"""The task for a text: its tokens into a BERT-type model, as the model's card says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import orjson

from proxy.backend.call import PredictCall
from proxy.backend.signatures import DEFAULT_SIGNATURE
from proxy.errors import UnsupportedContent
from proxy.inputs.json_tensors import Form
from proxy.inputs.text import check_texts, decode_text, token_types, tokenize
from proxy.outputs.result import TensorsResult
from proxy.tasks.batched import batched_inputs
from proxy.tasks.found import reading_of_text
from proxy.tasks.task import PreparedTask, Subject
from proxy.telemetry.stages import Stages
from proxy.texts.text_input import TextInput
from proxy.texts.vocabulary import Vocabulary
from proxy.wire.predictions import Prediction


def prepare_text_task(data: bytes, subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare the one text of a `text/plain` body.

    Raises:
        UnsupportedContent: The model takes no texts.
        InvalidText: See `decode_text` and `check_texts`.
        CardMismatch: See `token_types`.
    """
    spec, vocabulary = _text_input(subject)
    call = _call([decode_text(data)], spec, vocabulary, subject, stages)
    reading = reading_of_text(subject)
    return PreparedTask(call=call, interpret=reading.text_interpreter(), kind=reading.kind)


def prepare_texts(texts: Sequence[object], subject: Subject, stages: Stages) -> PreparedTask:
    """Prepare the texts of a JSON body in the row form; the answer has one row for each.

    Raises:
        InvalidText: See `check_texts`.
        CardMismatch: See `token_types`.
    """
    spec, vocabulary = _text_input(subject)
    form: Form = "row"

    def interpret(prediction: Prediction) -> TensorsResult:
        return TensorsResult(prediction=prediction, form=form)

    return PreparedTask(call=_call(texts, spec, vocabulary, subject, stages), interpret=interpret, kind=TensorsResult)


def texts_of(data: bytes) -> list[object] | None:
    """Return the texts of a JSON body, or None where it holds anything else; the task for tensors then says what."""
    try:
        document: Any = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict) or document.keys() != {"instances"}:  # pyright: ignore[reportUnknownMemberType]
        return None
    instances = cast("Any", document["instances"])
    if not isinstance(instances, list) or not instances or not isinstance(instances[0], str):
        return None
    return cast("list[object]", instances)


def _call(
    texts: Sequence[object], spec: TextInput, vocabulary: Vocabulary, subject: Subject, stages: Stages
) -> PredictCall:
    signature = subject.description.signatures.get(DEFAULT_SIGNATURE)
    types = token_types(spec, signature, subject.model)
    with stages.time("preprocess"):
        arrays = tokenize(check_texts(texts, spec), spec, vocabulary, types)
    return PredictCall(
        signature=DEFAULT_SIGNATURE,
        arrays=arrays,
        selector=subject.selector,
        output_filter=subject.options.output_filter,
        batched=frozenset() if signature is None else batched_inputs(signature),
    )


def _text_input(subject: Subject) -> tuple[TextInput, Vocabulary]:
    spec, vocabulary = subject.card.document.text, subject.card.vocabulary
    if spec is None or vocabulary is None:
        raise UnsupportedContent(
            where="header Content-Type",
            found=f"a text for {subject.model!r}",
            reason="This model has no card that says how a text becomes its input",
            remedy="Send JSON tensors, or give the model a card with the section text (model.yaml)",
        )
    return spec, vocabulary

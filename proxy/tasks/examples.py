"""The verbs that take examples: Classify and Regress, as TensorFlow Serving's REST API has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.backend.call import Selector
from proxy.backend.channel import CLASSIFY, REGRESS
from proxy.inputs.json_examples import parse_examples_request
from proxy.outputs.json_examples import classify_answer, regress_answer
from proxy.telemetry.stages import Stages
from proxy.wire.examples import (
    read_classify_response,
    read_regress_response,
    write_classify_request,
    write_regress_request,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamplesVerb:
    """Hold how one of the verbs is spoken."""

    method: str
    """Of the gRPC service."""
    write: Callable[..., bytes]
    """Makes the message of model, selector, signature, examples and context."""
    answer: Callable[[bytes, int | None], bytes]
    """Makes the JSON answer of the model server's message, its numbers rounded to some decimals."""

    def message(self, body: bytes, model: str, selector: Selector, stages: Stages) -> bytes:
        """Turn a JSON body into the message.

        Raises:
            InvalidJson: See `parse_examples_request`.
            InvalidTensor: See `parse_examples_request`.
        """
        with stages.time("decode"):
            request = parse_examples_request(body)
        with stages.time("encode"):
            return self.write(model, selector, request.signature, request.examples, request.context)


CLASSIFY_VERB = ExamplesVerb(
    method=CLASSIFY,
    write=write_classify_request,
    answer=lambda data, decimals: classify_answer(read_classify_response(data), decimals),
)
REGRESS_VERB = ExamplesVerb(
    method=REGRESS,
    write=write_regress_request,
    answer=lambda data, decimals: regress_answer(read_regress_response(data), decimals),
)

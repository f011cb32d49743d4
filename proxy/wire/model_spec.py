"""The model spec: which model, version and signature a message is about."""

from __future__ import annotations

from dataclasses import dataclass

from protos.stubs.tensorflow_serving.apis.model_pb2 import ModelSpec
from proxy.backend.call import Selector
from proxy.wire.fields import BYTES, VARINT, read_text, read_varint, signed, walk

_VERSION = ModelSpec.VERSION_FIELD_NUMBER
_LABEL = ModelSpec.VERSION_LABEL_FIELD_NUMBER
_TEXTS = (ModelSpec.NAME_FIELD_NUMBER, ModelSpec.SIGNATURE_NAME_FIELD_NUMBER, _LABEL)


def model_spec(model: str, selector: Selector, signature: str = "") -> ModelSpec:
    """Make the spec of a request."""
    spec = ModelSpec(name=model, signature_name=signature)
    if selector.version is not None:
        # Set where it stands, so that version 0 is a version too.
        spec.version.SetInParent()
        spec.version.value = selector.version
    elif selector.label is not None:
        spec.version_label = selector.label
    return spec


@dataclass(slots=True)
class AnsweredSpec:
    """Hold what an answer says of the model that gave it."""

    version: int = 0
    signature: str = ""

    def merge(self, data: bytes, start: int, end: int) -> None:
        """Read a ModelSpec, over what was read before in the same message.

        Raises:
            Malformed: The bytes are no ModelSpec.
        """
        for number, kind, begin, stop in walk(data, start, end):
            if kind != BYTES:
                continue
            if number == _VERSION:
                self._merge_version(data, begin, stop)
            elif number in _TEXTS:
                text = read_text(data, begin, stop)
                if number == ModelSpec.SIGNATURE_NAME_FIELD_NUMBER:
                    self.signature = text
                elif number == _LABEL:
                    # A message has a version or a label: the later one takes the earlier one's place.
                    self.version = 0

    def _merge_version(self, data: bytes, start: int, end: int) -> None:
        for number, kind, begin, stop in walk(data, start, end):
            if number == 1 and kind == VARINT:
                self.version = signed(read_varint(data, begin, stop)[0], 64)

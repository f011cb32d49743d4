"""Text: words into the token numbers of a BERT-type model, by WordPiece.

The arrays are of the types and shapes that the model's signature tells; see `texts/` for the card's side of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from proxy.backend.signatures import Signature, TensorSpec
from proxy.errors import CardMismatch, InvalidText
from proxy.texts.text_input import TextInput
from proxy.texts.vocabulary import Vocabulary
from proxy.wire.tensors import numpy_type, type_name

Array = NDArray[Any]

_HEAD_CHARACTERS = 16
"""Characters of a text per token that are enough for all tokens of a model, in any language that has spaces."""
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode_text(data: bytes) -> str:
    """Return the text of a `text/plain` body.

    Raises:
        InvalidText: It is no UTF-8.
    """
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise InvalidText(
            where=f"request body > byte {error.start}",
            found=f"no UTF-8 ({error.reason})",
            reason="Words can only be looked up in a vocabulary once the letters are known",
            remedy="Send the text encoded as UTF-8",
        ) from error


def check_texts(values: Sequence[object], spec: TextInput) -> list[str]:
    """Return the texts of a JSON request, checked.

    Raises:
        InvalidText: A value is no text, a text is too long, or there are none or too many.
    """
    if not 0 < len(values) <= spec.max_texts:
        raise InvalidText(
            where="request body > instances",
            found=f"{len(values)} texts",
            reason=f"One request takes 1 to {spec.max_texts} (model card, text > max-texts)",
            remedy="Send them in several requests" if values else "Send at least one",
        )
    return [_checked(value, number, spec) for number, value in enumerate(values)]


def token_types(spec: TextInput, signature: Signature | None, model: str) -> dict[str, np.dtype[np.generic]]:
    """Return the type of each token tensor, checking the card against the model's own description.

    Raises:
        CardMismatch: The model has other inputs, or inputs that token numbers do not fit.
    """
    inputs: Mapping[str, TensorSpec] = {} if signature is None else signature.inputs
    if set(inputs) != set(spec.inputs.names):
        names = ", ".join(sorted(inputs)) or "(none)"
        raise _mismatch(model, f"the card says {', '.join(spec.inputs.names)}, the model has the inputs {names}")
    lengths = (3, spec.max_tokens) if spec.pad_to is None else (spec.pad_to,)
    for tensor in inputs.values():
        if not all(tensor.takes_shape((1, length)) for length in lengths):
            wanted = "rows of any length" if spec.pad_to is None else f"rows of {spec.pad_to}"
            raise _mismatch(model, f"the card says {wanted} (pad-to), the model has {tensor.name} {tensor.shape_text}")
    return {name: _token_type(tensor, model) for name, tensor in inputs.items()}


def tokenize(
    texts: Sequence[str], spec: TextInput, vocabulary: Vocabulary, types: Mapping[str, np.dtype[np.generic]]
) -> dict[str, Array]:
    """Turn texts into the inputs of a model.

    Args:
        texts: At least one, checked by `check_texts`.
        spec: What the card says of the model's input.
        vocabulary: Loaded for the same `spec`.
        types: See `token_types`.

    Returns:
        For each name of `types` an array [texts, tokens].
    """
    # One by one and not as a batch: a batch would be shared out over threads, and those are taken up by other requests.
    rows = [_numbers(text, spec, vocabulary) for text in texts]
    length = spec.pad_to or max(len(row) for row in rows)
    ids = np.full((len(rows), length), vocabulary.padding, np.int64)
    mask = np.zeros((len(rows), length), np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    columns = {spec.inputs.ids: ids, spec.inputs.mask: mask, spec.inputs.types: np.zeros_like(ids)}
    return {name: columns[name].astype(dtype) for name, dtype in types.items()}


def _numbers(text: str, spec: TextInput, vocabulary: Vocabulary) -> list[int]:
    """Return a text's token numbers; of a long text only as many words are read as the model is given."""
    head = text[: _HEAD_CHARACTERS * spec.max_tokens]
    if len(head) < len(text):
        # Words end at spaces, so those before the last one are the same in the head as in the whole text.
        numbers = vocabulary.tokenizer.encode(head.rpartition(" ")[0]).ids
        if len(numbers) == spec.max_tokens:
            return numbers
    return vocabulary.tokenizer.encode(text).ids


def _checked(value: object, number: int, spec: TextInput) -> str:
    where = f"request body > instances > {number}"
    if not isinstance(value, str):
        raise InvalidText(
            where=where,
            found=f"a JSON {type(value).__name__}",
            reason="Every instance of this model is a text",
            remedy='Send {"instances": ["first text", "second text"]}',
        )
    if not value.isascii() and _SURROGATE.search(value):
        raise InvalidText(
            where=where,
            found="half of a surrogate pair",
            reason="It is no character, and no vocabulary has it",
            remedy="Escape characters beyond U+FFFF as pairs, or send them as UTF-8",
        )
    if len(value) > spec.max_characters:
        raise InvalidText(
            where=where,
            found=f"{len(value)} characters",
            reason=f"The limit is {spec.max_characters}, and the model reads {spec.max_tokens} tokens of them at most",
            remedy="Send the beginning, or the text in parts",
        )
    return value


def _token_type(tensor: TensorSpec, model: str) -> np.dtype[np.generic]:
    dtype = numpy_type(tensor.data_type)
    if dtype is None or (dtype != np.int32 and dtype != np.int64):
        raise _mismatch(model, f"the model has the type {type_name(tensor.data_type)} for {tensor.name}")
    return dtype


def _mismatch(model: str, found: str) -> CardMismatch:
    return CardMismatch(
        where=f"model card of {model!r} > text > inputs",
        found=found,
        reason="Tokens are numbers of the type int32 or int64, one row for each text",
        remedy="Mend the card beside the model (model.yaml), or publish the version that it describes",
    )

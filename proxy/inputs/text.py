"""Text: words into the token numbers of a BERT-type model, by WordPiece.

The library `tokenizers` does the work. It is imported only for a model whose card has the section `text`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from proxy.backend.signatures import Signature, TensorSpec
from proxy.document import Document
from proxy.errors import CardMismatch, ConfigError, InvalidText
from proxy.wire.tensors import numpy_type, type_name

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Array = NDArray[Any]

UNKNOWN, BEGIN, END, PADDING = "[UNK]", "[CLS]", "[SEP]", "[PAD]"
_SPECIAL = (UNKNOWN, BEGIN, END, PADDING)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_WORD_CHARACTERS = 100
"""A longer word is unknown as a whole, as in BERT's own tokeniser."""


class TokenInputs(Document):
    """Name the inputs of the model's signature that the tokens go into, int32 or int64 [texts, tokens] each."""

    ids: str = "input_ids"
    mask: str | None = None
    """1 for a token, 0 for padding."""
    types: str | None = None
    """Always 0: the number of the sentence, in models that compare two."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names that are set."""
        return tuple(name for name in (self.ids, self.mask, self.types) if name is not None)


class TextInput(Document):
    """Describe the text that a model takes: section `text` of a model card."""

    vocabulary: Path
    """A text file with one token per line, token 0 first; relative to the card."""
    max_tokens: int = Field(default=512, ge=3, le=8192)
    """What goes beyond is cut off; [CLS] and [SEP] count."""
    pad_to: int | None = Field(default=None, ge=3, le=8192)
    """The one length that the model takes; without it, all texts of a request are as long as the longest."""
    lower_case: bool = True
    """Whether the model knows no capitals; accents are dropped as well then, as in BERT uncased."""
    max_characters: int = Field(default=100_000, gt=0)
    """The longest text taken; it bounds the work for words that are cut off."""
    max_texts: int = Field(default=256, gt=0)
    """The most texts of one request."""
    inputs: TokenInputs = TokenInputs()

    @model_validator(mode="after")
    def _cuts_to_what_it_pads_to(self) -> TextInput:
        if self.pad_to is not None and self.max_tokens > self.pad_to:
            raise ValueError(f"max-tokens {self.max_tokens} is more than the length to pad to, {self.pad_to}")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Hold a loaded vocabulary; threads may use it at once."""

    tokenizer: Tokenizer
    padding: int
    """The number of the token that fills a row up."""


def load_vocabulary(path: Path, spec: TextInput) -> Vocabulary:
    """Read a vocabulary file.

    Raises:
        ConfigError: It cannot be read, lacks a token that every text needs, or has one twice.
    """
    numbers = _read_tokens(path)
    return Vocabulary(tokenizer=_tokenizer(numbers, spec), padding=numbers[PADDING])


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
    rows = [vocabulary.tokenizer.encode(text).ids for text in texts]
    length = spec.pad_to or max(len(row) for row in rows)
    ids = np.full((len(rows), length), vocabulary.padding, np.int64)
    mask = np.zeros((len(rows), length), np.int64)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
        mask[number, : len(row)] = 1
    columns = {spec.inputs.ids: ids, spec.inputs.mask: mask, spec.inputs.types: np.zeros_like(ids)}
    return {name: columns[name].astype(dtype) for name, dtype in types.items()}


def _tokenizer(numbers: Mapping[str, int], spec: TextInput) -> Tokenizer:
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
    from tokenizers.processors import BertProcessing

    words = WordPiece(dict(numbers), unk_token=UNKNOWN, max_input_chars_per_word=_MAX_WORD_CHARACTERS)
    # The names of special tokens are not registered as such: a text that spells [SEP] stays a text.
    tokenizer: Any = Tokenizer(words)
    tokenizer.normalizer = BertNormalizer(lowercase=spec.lower_case)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = BertProcessing((END, numbers[END]), (BEGIN, numbers[BEGIN]))
    tokenizer.enable_truncation(spec.max_tokens)
    return tokenizer


def _read_tokens(path: Path) -> dict[str, int]:
    try:
        # Not splitlines(): a token may be a sign that Unicode counts as the end of a line.
        tokens = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(path, f"the file cannot be read ({error})") from error
    numbers = {token.rstrip("\r"): number for number, token in enumerate(tokens)}
    missing = [token for token in _SPECIAL if token not in numbers]
    if missing:
        raise _unusable(path, f"{len(numbers)} tokens without {', '.join(missing)}")
    if len(numbers) != len(tokens):
        raise _unusable(path, f"{len(tokens) - len(numbers)} tokens that stand there more than once")
    return numbers


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


def _unusable(path: Path, found: str) -> ConfigError:
    return ConfigError(
        where=str(path),
        found=found,
        reason="A model card names it as the vocabulary of its text, and the line number is the number of the token",
        remedy="Put the vocab.txt there that the model was trained with",
    )

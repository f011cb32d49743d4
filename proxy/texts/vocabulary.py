"""The vocabulary: a file of tokens, loaded into a WordPiece tokeniser as BERT-type models are trained with.

The library `tokenizers` does the work. It is imported only for a model whose card has the section `text`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxy.errors import ConfigError
from proxy.texts.text_input import TextInput

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNKNOWN, BEGIN, END, PADDING = "[UNK]", "[CLS]", "[SEP]", "[PAD]"
_SPECIAL = (UNKNOWN, BEGIN, END, PADDING)
_MAX_WORD_CHARACTERS = 100
"""A longer word is unknown as a whole, as in BERT's own tokeniser."""


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


def _unusable(path: Path, found: str) -> ConfigError:
    return ConfigError(
        where=str(path),
        found=found,
        reason="A model card names it as the vocabulary of its text, and the line number is the number of the token",
        remedy="Put the vocab.txt there that the model was trained with",
    )

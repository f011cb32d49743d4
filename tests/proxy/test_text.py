"""Tokens of texts, beside a WordPiece written here from its definition."""

from __future__ import annotations

import random
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from protos.stubs.tensorflow.core.framework import types_pb2
from proxy.backend.signatures import Signature, TensorSpec
from proxy.errors import CardMismatch, ConfigError, InvalidText
from proxy.inputs.text import check_texts, decode_text, token_types, tokenize
from proxy.texts.text_input import TextInput
from proxy.texts.vocabulary import load_vocabulary

_LINES = """
[PAD] [UNK] [CLS] [SEP] the cat sat on mat play un aff able hat a b c é 1 2 . , ! ? ' - ( ) [ ] 中 文 SEP sep Cat
##s ##ing ##ed ##able ##aff ##b ##c ##1 ##é ##文 ß ##ß i ##i straße
"""
_TOKENS = _LINES.split()
_TYPES = {"ids": np.dtype(np.int32)}


@pytest.fixture
def vocabulary_file(tmp_path: Path) -> Path:
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(_TOKENS) + "\n", encoding="utf-8")
    return path


def _spec(**changes) -> TextInput:
    return TextInput.model_validate({"vocabulary": "vocab.txt", "inputs": {"ids": "ids"}, **changes})


def _ids(texts: list[str], spec: TextInput, path: Path) -> list[list[int]]:
    return tokenize(texts, spec, load_vocabulary(path, spec), _TYPES)["ids"].tolist()


def _word_piece(text: str, lower_case: bool, max_tokens: int) -> list[int]:
    """Tokenise as BERT's paper and its first implementation describe it."""
    words = _words(text, lower_case)
    pieces = [piece for word in words for piece in _pieces(word)]
    return [2, *pieces[: max_tokens - 2], 3]


def _words(text: str, lower_case: bool) -> list[str]:
    spaced = ""
    for sign in text:
        if sign in "\t\n\r" or unicodedata.category(sign) == "Zs":
            spaced += " "
        elif sign not in "\0\ufffd" and not unicodedata.category(sign).startswith("C"):
            spaced += f" {sign} " if "一" <= sign <= "鿿" else sign
    if lower_case:
        spaced = "".join(s for s in unicodedata.normalize("NFD", spaced.lower()) if unicodedata.category(s) != "Mn")
    for sign in set(spaced):
        ascii_sign = 33 <= ord(sign) <= 126 and not sign.isalnum()
        if ascii_sign or unicodedata.category(sign).startswith("P"):
            spaced = spaced.replace(sign, f" {sign} ")
    return spaced.split()


def _pieces(word: str) -> list[int]:
    if len(word) > 100:
        return [1]
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = (end for end in range(len(word), start, -1) if prefix + word[start:end] in _TOKENS)
        end = next(ends, None)
        if end is None:
            return [1]
        pieces.append(_TOKENS.index(prefix + word[start:end]))
        start = end
    return pieces


@pytest.mark.parametrize("lower_case", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t ",
        "The cats sat on the mat.",
        "unaffable playing, played!",
        "CAT Cat cat",
        "[SEP] [CLS] [PAD]",
        "中文 ab中文c",
        "É é e\u0301 straße Straße",
        "a" * 101 + " the",
        "a\u200bb a\0b a\ufffdb a\u00a0b",
        "it's (the) hat-a?!",
    ],
)
def test_tokens_are_those_of_word_piece(text: str, lower_case: bool, vocabulary_file: Path) -> None:
    spec = _spec(**{"lower-case": lower_case})
    assert _ids([text], spec, vocabulary_file) == [_word_piece(text, lower_case, spec.max_tokens)]


def test_tokens_of_random_texts_are_those_of_word_piece(vocabulary_file: Path) -> None:
    chance = random.Random(5)
    parts = [*"abcé1.,!' -中文ßXÀ\t", "the", "cat", "play", "ing", "un", "aff", "able", "Hat", " "]
    for lower_case in (True, False):
        spec = _spec(**{"lower-case": lower_case, "max-tokens": 24})
        vocabulary = load_vocabulary(vocabulary_file, spec)
        for _ in range(2000):
            text = "".join(chance.choices(parts, k=chance.randrange(60)))
            found = tokenize([text], spec, vocabulary, _TYPES)["ids"][0].tolist()
            assert found == _word_piece(text, lower_case, 24), repr(text)


def test_a_long_text_is_cut_and_keeps_its_end_token(vocabulary_file: Path) -> None:
    assert _ids(["the cat sat on the mat"], _spec(**{"max-tokens": 4}), vocabulary_file) == [[2, 4, 5, 3]]


@pytest.mark.parametrize(
    "parts", [["the", "unaffable"], ["the" + " " * 90], ["x" * 150], ["中", "文ab"], ["\n", "cat,"]]
)
@pytest.mark.parametrize("space", [" ", ""])
def test_a_very_long_text_has_the_tokens_of_its_beginning(parts: list[str], space: str, vocabulary_file: Path) -> None:
    text = space.join(parts * 600)
    assert _ids([text], _spec(**{"max-tokens": 24}), vocabulary_file) == [_word_piece(text, True, 24)]


def test_texts_of_one_request_are_filled_up_to_the_longest(vocabulary_file: Path) -> None:
    inputs = {"ids": "ids", "mask": "mask", "types": "types"}
    types = {"ids": np.dtype(np.int64), "mask": np.dtype(np.int32), "types": np.dtype(np.int32)}
    spec = _spec(inputs=inputs)
    arrays = tokenize(["the", "the cat"], spec, load_vocabulary(vocabulary_file, spec), types)
    assert arrays["ids"].tolist() == [[2, 4, 3, 0], [2, 4, 5, 3]]
    assert arrays["mask"].tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]
    assert arrays["types"].tolist() == [[0] * 4] * 2
    assert {name: array.dtype for name, array in arrays.items()} == types


def test_texts_are_filled_up_to_a_fixed_length(vocabulary_file: Path) -> None:
    assert _ids(["the"], _spec(**{"max-tokens": 6, "pad-to": 6}), vocabulary_file) == [[2, 4, 3, 0, 0, 0]]


def test_threads_share_one_vocabulary(vocabulary_file: Path) -> None:
    spec = _spec()
    vocabulary = load_vocabulary(vocabulary_file, spec)
    texts = [" ".join(["the cat sat on mat"[: 1 + n % 18]] * (n % 40)) for n in range(400)]
    alone = [tokenize([text], spec, vocabulary, _TYPES)["ids"].tolist() for text in texts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda text: tokenize([text], spec, vocabulary, _TYPES)["ids"].tolist(), texts))
    assert together == alone


def test_bytes_that_are_no_utf8_are_refused_with_their_place() -> None:
    assert decode_text("é".encode()) == "é"
    with pytest.raises(InvalidText, match=r"byte 2: no UTF-8 .* Send the text encoded as UTF-8"):
        decode_text(b"ab\xff")


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([], "instances: 0 texts"),
        (["a"] * 5, "instances: 5 texts"),
        (["a", 7], "instances > 1: a JSON int"),
        (["a" * 11], "instances > 0: 11 characters"),
        (["a\ud800"], "instances > 0: half of a surrogate pair"),
    ],
)
def test_texts_that_cannot_be_taken_are_refused(values: list[object], found: str) -> None:
    with pytest.raises(InvalidText, match=found):
        check_texts(values, _spec(**{"max-texts": 4, "max-characters": 10}))


@pytest.mark.parametrize(
    ("tokens", "found"),
    [
        (["[PAD]", "[UNK]", "the"], r"3 tokens without \[CLS\], \[SEP\]"),
        ([*_TOKENS, "the"], "1 tokens that stand there more than once"),
        (None, "cannot be read"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_stops_the_start(tokens: list[str] | None, found: str, tmp_path: Path) -> None:
    path = tmp_path / "vocab.txt"
    if tokens is not None:
        path.write_text("\n".join(tokens))
    with pytest.raises(ConfigError, match=found):
        load_vocabulary(path, _spec())


def test_a_length_to_cut_to_beyond_the_fixed_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="max-tokens 9 is more than the length to pad to, 8"):
        _spec(**{"max-tokens": 9, "pad-to": 8})


def _signature(**shapes: tuple[int, tuple[int | None, ...]]) -> Signature:
    inputs = {name: TensorSpec(name=name, data_type=kind, shape=shape) for name, (kind, shape) in shapes.items()}
    return Signature(name="serving_default", inputs=inputs, outputs={})


def test_types_come_from_the_signature() -> None:
    signature = _signature(ids=(types_pb2.DT_INT64, (None, None)))
    assert token_types(_spec(), signature, "bert") == {"ids": np.int64}


@pytest.mark.parametrize(
    ("signature", "found"),
    [
        (None, r"the card says ids, the model has the inputs \(none\)"),
        (_signature(words=(types_pb2.DT_INT32, (None, None))), "the model has the inputs words"),
        (_signature(ids=(types_pb2.DT_FLOAT, (None, None))), "the type DT_FLOAT for ids"),
        (
            _signature(ids=(types_pb2.DT_INT32, (None, 128))),
            r"rows of any length \(pad-to\), the model has ids \[\?, 128",
        ),
    ],
)
def test_a_card_that_does_not_fit_the_model_is_told(signature: Signature | None, found: str) -> None:
    with pytest.raises(CardMismatch, match=found):
        token_types(_spec(), signature, "bert")

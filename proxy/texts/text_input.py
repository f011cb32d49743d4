"""Text input: what a model card says of the texts that its model takes."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from proxy.document import Document


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

"""The errors of the publisher, as one tree.

    PublisherError
    ├── FolderError      what should be a model's folder is none, or cannot be read or written
    ├── MismatchError    a card that does not fit the model it stands beside
    ├── ProofError       a written model that does not answer like its original
    └── LibraryError     TensorFlow is not installed

A message to a person has four parts: where, what was found, why it matters, what to do about it.
"""

from __future__ import annotations


class PublisherError(Exception):
    """Say where something is wrong, what was found, why it matters and what to do."""

    def __init__(self, where: str, found: str, reason: str, remedy: str) -> None:
        super().__init__(where, found, reason, remedy)
        self.where = where
        self.found = found
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.found}. {self.reason}. {self.remedy}."


class FolderError(PublisherError):
    """What should be a model's folder is none, or cannot be read or written."""


class MismatchError(PublisherError):
    """A card that does not fit the model it stands beside."""


class ProofError(PublisherError):
    """A written model that does not answer like its original."""


class LibraryError(PublisherError):
    """TensorFlow is not installed."""

"""The errors of making models, branches of the toolchain's own tree.

ToolchainError
└── ModelError
    ├── SourceError        a package or a file in it cannot be had, or is not the pinned one
    ├── ConversionError    a source file cannot be read, or holds what the converter does not know
    └── VerificationError  a converted model does not see what is in a known picture
"""

from toolchain.errors import ToolchainError


class ModelError(ToolchainError):
    """One of the lab's models cannot be made."""


class SourceError(ModelError):
    """A package or a file in it cannot be had, or is not the pinned one."""


class ConversionError(ModelError):
    """A source file cannot be read, or holds what the converter does not know."""


class VerificationError(ModelError):
    """A converted model does not see what is in a known picture."""

"""The errors of making container images, branches of the toolchain's own tree.

ToolchainError
└── ImageError
    ├── PackageError  a Debian package cannot be had from the machine's apt sources
    ├── WheelError    a locked wheel cannot be had for the image's platform
    └── CompileError  C or Python source does not compile, or the compiler is missing
"""

from toolchain.errors import ToolchainError


class ImageError(ToolchainError):
    """A container image cannot be made."""


class PackageError(ImageError):
    """A Debian package cannot be had from the machine's apt sources."""


class WheelError(ImageError):
    """A locked wheel cannot be had for the image's platform."""


class CompileError(ImageError):
    """C or Python source does not compile, or the compiler is missing."""

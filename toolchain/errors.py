"""The errors of the toolchain.

ToolchainError
├── CacheError       the cache folder, or an entry in it, cannot be used
├── GoError          no Go compiler, one that is too old, or one that misses a cross compiler
├── BuildError       a pinned recipe does not build
├── DownloadError    an official release cannot be had, or is not what was published
└── StateError       the state folder of the checkout cannot be used
"""


class ToolchainError(Exception):
    """Tell a person where something went wrong, what was found, why it matters and what to do.

    Args:
        where: The command, file or step.
        found: What was found there.
        why: What does not work because of it.
        remedy: The edit or command that repairs it.
    """

    def __init__(self, where: str, found: str, why: str, remedy: str) -> None:
        super().__init__(where, found, why, remedy)
        self.where, self.found, self.why, self.remedy = where, found, why, remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.found}\n  why it matters: {self.why}\n  what to do: {self.remedy}"


class CacheError(ToolchainError):
    """The cache folder, or an entry in it, cannot be used."""


class GoError(ToolchainError):
    """No Go compiler, one that is too old, or one that misses a cross compiler."""


class BuildError(ToolchainError):
    """A pinned recipe does not build."""


class DownloadError(ToolchainError):
    """An official release is not what was published."""


class Unreachable(DownloadError):
    """An official release cannot be had from here; there is another way."""


class StateError(ToolchainError):
    """The state folder of the checkout cannot be used."""

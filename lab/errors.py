"""The errors of the lab.

LabError
├── MachineError      this machine cannot carry a lab: not root, or something is missing
├── DefinitionError   the lab's definition, or a name or network given for it, cannot be used
├── InstanceError     the instance belongs to somebody else, is busy, or is not up
├── CommandError      a program that the lab runs failed
└── HostError         a host does not come up or does not go away
"""


class LabError(Exception):
    """Tell a person where something went wrong, what was found, why it matters and what to do.

    Args:
        where: The instance, host, file or command.
        found: What was found there.
        why: What does not work because of it.
        remedy: The edit or command that repairs it.
    """

    def __init__(self, where: str, found: str, why: str, remedy: str) -> None:
        super().__init__(where, found, why, remedy)
        self.where, self.found, self.why, self.remedy = where, found, why, remedy

    def __str__(self) -> str:
        return f"{self.where}: {self.found}\n  why it matters: {self.why}\n  what to do: {self.remedy}"


class MachineError(LabError):
    """This machine cannot carry a lab: not root, or something is missing."""


class DefinitionError(LabError):
    """The lab's definition, or a name or network given for it, cannot be used."""


class InstanceError(LabError):
    """The instance belongs to somebody else, is busy, or is not up."""


class CommandError(LabError):
    """A program that the lab runs failed."""


class HostError(LabError):
    """A host does not come up or does not go away."""

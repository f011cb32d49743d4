"""The waiting calls of a lane: the earliest deadline goes first, with all that fit it."""

from __future__ import annotations

from operator import attrgetter

from proxy.backend.member import Member

_DEADLINE = attrgetter("context.deadline.moment")


class Waiting:
    """Hold calls until they are sent."""

    def __init__(self) -> None:
        # A dict for its order: those of one deadline stay in the order in which they came.
        self._members: dict[Member, None] = {}

    def __len__(self) -> int:
        return len(self._members)

    def add(self, member: Member) -> None:
        """Let a call wait."""
        self._members[member] = None

    def discard(self, member: Member) -> None:
        """Let a call go, if it waits."""
        self._members.pop(member, None)

    def cancel(self) -> None:
        """Let all go without an answer."""
        for member in self._members:
            member.answer.cancel()
        self._members.clear()

    def take(self, max_calls: int, max_examples: int, max_bytes: int) -> list[Member]:
        """Take the call with the earliest deadline, and those that fit it, up to the limits; at least one."""
        ordered = sorted(self._members, key=_DEADLINE)
        first, taken = ordered[0], ordered[:1]
        examples, size = first.examples, first.bytes
        for member in ordered[1:]:
            if (
                len(taken) < max_calls
                and member.key == first.key
                and examples + member.examples <= max_examples
                and size + member.bytes <= max_bytes
            ):
                taken.append(member)
                examples, size = examples + member.examples, size + member.bytes
        for member in taken:
            del self._members[member]
        return taken

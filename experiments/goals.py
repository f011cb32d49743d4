"""Goals: what was measured beside what was wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from experiments.quartiles import short
from experiments.tables import Table


@dataclass(frozen=True)
class Goal:
    """One figure with its bound."""

    what: str
    measured: float
    bound: Literal["at most", "at least"]
    wanted: float
    unit: str

    @property
    def met(self) -> bool:
        """Say whether the figure keeps the bound."""
        return self.measured <= self.wanted if self.bound == "at most" else self.measured >= self.wanted


def at_most(what: str, measured: float, wanted: float, unit: str) -> Goal:
    """Return a goal that a small figure meets."""
    return Goal(what, measured, "at most", wanted, unit)


def at_least(what: str, measured: float, wanted: float, unit: str = "times") -> Goal:
    """Return a goal that a large figure meets."""
    return Goal(what, measured, "at least", wanted, unit)


def goals_table(goals: Iterable[Goal], title: str = "Goals") -> Table:
    """Return goals as a table; a bound that is not kept says MISSED."""
    table = Table(title, ("what", "measured", "wanted", ""))
    for goal in goals:
        wanted = f"{goal.bound} {short(goal.wanted)} {goal.unit}"
        table.add(goal.what, f"{short(goal.measured)} {goal.unit}", wanted, "met" if goal.met else "MISSED")
    return table

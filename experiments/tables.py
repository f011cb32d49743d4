"""Tables: the same rows for people (Markdown) and for programs (CSV)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Table:
    """A title, the names of the columns, and rows of as many cells."""

    title: str
    columns: Sequence[str]
    rows: list[Sequence[object]] = field(default_factory=list)

    def add(self, *cells: object) -> None:
        """Append a row.

        Raises:
            ValueError: It has more or fewer cells than there are columns.
        """
        if len(cells) != len(self.columns):
            raise ValueError(f"{self.title}: {len(cells)} cells for {len(self.columns)} columns")
        self.rows.append(cells)

    def markdown(self) -> str:
        """Return the table as Markdown whose columns also stand under each other as plain text."""
        lines = [[str(cell) for cell in row] for row in (self.columns, *self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.columns))]
        padded = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in lines
        ]
        rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
        return "\n".join([f"**{self.title}**", "", padded[0], rule, *padded[1:]])

    def write_csv(self, path: Path) -> None:
        """Write columns and rows to a file."""
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self.columns)
            writer.writerows(self.rows)

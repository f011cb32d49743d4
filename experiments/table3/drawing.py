"""Drawing: one panel per distribution, the steps of the paper and ours under each other."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from experiments.paper import TABLE_3
from experiments.quartiles import Quartiles, short
from experiments.table3.results import STEPS, Measured

_PAPER, _OURS = "#c44e52", "#55a868"
_HEIGHT = 0.38


def draw(path: Path, measured: Measured, title: str) -> None:
    """Draw the median seconds per step beside the paper's, with our quartiles as whiskers, and write a PNG."""
    figure, axes = plt.subplots(1, len(measured), figsize=(5.6 * len(measured), 4.6), squeeze=False)
    for panel, (distribution, steps) in zip(axes[0], measured.items(), strict=True):
        shown = [step for step in STEPS if step in steps or step in TABLE_3[distribution]]
        for row, step in enumerate(shown):
            paper = TABLE_3[distribution].get(step)
            if paper is not None:
                panel.barh(row - _HEIGHT / 2, paper, _HEIGHT, color=_PAPER)
                panel.text(paper, row - _HEIGHT / 2, f" {paper} s", va="center", fontsize=8)
            if step in steps:
                _ours(panel, row + _HEIGHT / 2, Quartiles.of(steps[step]))
        panel.set_yticks(range(len(shown)), shown)
        panel.invert_yaxis()
        panel.margins(x=0.15)
        panel.set_xlabel("seconds")
        panel.set_title(distribution)
    handles = [Patch(color=colour) for colour in (_PAPER, _OURS)]
    axes[0][-1].legend(handles, ["paper, Raspberry Pi 4B", "ours, this machine"], loc="center right", fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _ours(panel: Axes, place: float, found: Quartiles) -> None:
    whiskers = [[found.median - found.lower], [found.upper - found.median]]
    panel.barh(place, found.median, _HEIGHT, color=_OURS, xerr=whiskers, ecolor="black", capsize=2)
    panel.text(found.upper, place, f"  {short(found.median)} s", va="center", fontsize=8)

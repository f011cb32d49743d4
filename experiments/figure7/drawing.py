"""Drawing: the box plots, one panel per model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from experiments.quartiles import Quartiles, short

_COLOURS = ("#c44e52", "#4c72b0", "#55a868")


def draw(path: Path, times: Mapping[str, Mapping[str, Sequence[float]]], notes: Mapping[str, str], title: str) -> None:
    """Draw the end-to-end times and write them as a PNG.

    Args:
        path: The file to write.
        times: Per model and way the milliseconds of its requests; their median stands below the box.
        notes: Per model a line below its panel.
        title: Of the whole figure.
    """
    figure, axes = plt.subplots(1, len(times), figsize=(3.4 * len(times), 4.2), squeeze=False)
    for panel, (model, by_way) in zip(axes[0], times.items(), strict=True):
        labels = [f"{way}\n{short(Quartiles.of(values).median)} ms" for way, values in by_way.items()]
        boxes = panel.boxplot(list(by_way.values()), tick_labels=labels, widths=0.6, patch_artist=True)
        for box, colour in zip(boxes["boxes"], _COLOURS, strict=False):
            box.set_facecolor(colour)
        for line in boxes["medians"]:
            line.set_color("black")
        panel.set_ylim(bottom=0)
        panel.set_title(model)
        panel.set_xlabel(notes[model], fontsize=8)
    axes[0][0].set_ylabel("end to end, ms")
    figure.suptitle(title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)

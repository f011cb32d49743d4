"""Drawing: CPU and memory of every node, the paper's bar beside ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from experiments.paper import TABLE_4
from experiments.quartiles import Quartiles, short
from experiments.table4.idle import COUNTED, PODS
from experiments.table4.results import BARE, CLUSTER, Idle, Part, by_node, parts

_PAPER, _COUNTED = "#c44e52", "#55a868"
_STACK = {BARE: "#bbbbbb", CLUSTER: "#4c72b0", PODS: "#8fb0dd"}
_WIDTH = 0.26


def draw(path: Path, idles: Sequence[Idle], title: str) -> None:
    """Draw the medians of the repeats and write them as a PNG."""
    figure, (cpu, memory) = plt.subplots(1, 2, figsize=(12, 4.6))
    nodes = by_node(idles)
    found = [{part.name: part for part in parts(repeats)} for repeats in nodes.values()]
    papers = [TABLE_4[repeats[0].host.distribution][repeats[0].host.role] for repeats in nodes.values()]
    cpus, memories = (_quartiles(found, read) for read in (lambda part: part.cpu, lambda part: part.memory))
    _panel(cpu, cpus, [paper.cpu_percent for paper in papers], "CPU, % of one core (paper: % of what it does not say)")
    _panel(memory, memories, [paper.memory_mb for paper in papers], "memory, MiB (paper: MB)")
    for panel in (cpu, memory):
        panel.set_xticks(range(len(nodes)), list(nodes))
    handles, labels = memory.get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=len(labels), fontsize=8)
    figure.suptitle(title, fontsize=10)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _quartiles(nodes: Sequence[Mapping[str, Part]], read: Callable[[Part], Quartiles]) -> list[dict[str, Quartiles]]:
    return [{name: read(part) for name, part in node.items()} for node in nodes]


def _panel(panel: Axes, nodes: Sequence[Mapping[str, Quartiles]], papers: Sequence[float], unit: str) -> None:
    places = range(len(nodes))
    told = panel.bar([place - _WIDTH for place in places], papers, _WIDTH, color=_PAPER, label="paper, Raspberry Pi 4B")
    panel.bar_label(told, [short(paper) for paper in papers], fontsize=8)
    counted = [node[COUNTED] for node in nodes]
    medians = [found.median for found in counted]
    ranges = [[found.median - found.lower for found in counted], [found.upper - found.median for found in counted]]
    ours = panel.bar(places, medians, _WIDTH, yerr=ranges, capsize=2, color=_COUNTED, label="ours: the same processes")
    panel.bar_label(ours, [short(median) for median in medians], fontsize=8)
    _stack(panel, nodes)
    # The highest bar's figure stands above it; an edge that sticks to a bar leaves it no room.
    panel.use_sticky_edges = False
    panel.margins(y=0.08)
    panel.set_ylim(bottom=0)
    panel.set_title(unit, fontsize=10)


def _stack(panel: Axes, nodes: Sequence[Mapping[str, Quartiles]]) -> None:
    places = [place + _WIDTH for place in range(len(nodes))]
    floor = [0.0] * len(nodes)
    for part, colour in _STACK.items():
        # What does next to nothing may have used less, by a little, than the bare host did before.
        heights = [max(0.0, node[part].median) for node in nodes]
        panel.bar(places, heights, _WIDTH, bottom=floor, color=colour, label=part)
        floor = [low + height for low, height in zip(floor, heights, strict=True)]
    for place, top in zip(places, floor, strict=True):
        panel.text(place, top, short(top), ha="center", va="bottom", fontsize=8)

"""The picture of a soak: memory of each process, how long a signal takes, descriptors and threads, over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from tests.bench.soak import Sample

SIZE_IN = (9.0, 8.0)


def draw(samples: Sequence[Sample], path: Path) -> None:
    """Draw it to ``path`` (a PNG or SVG by its ending)."""
    figure = Figure(figsize=SIZE_IN, layout="constrained")
    memory, delay, held = figure.subplots(3, sharex=True, height_ratios=(3, 2, 2))
    minutes = [each.at_s / 60 for each in samples]
    names = sorted({name for each in samples for name in each.held}, key=lambda n: -samples[-1].held.get(n, (0,))[0])
    for name in names:
        _line(memory, minutes, samples, name, 0)
    memory.set(ylabel="RSS, MB", ylim=(0, None))
    for place, label in enumerate(("p50", "p99")):
        delay.plot(minutes, [each.signals[place] if each.signals[2] else None for each in samples], label=label, lw=1)
    delay.set(ylabel="fetched to signal, s", ylim=(0, None))
    for place, label in ((1, "file descriptors"), (2, "threads")):
        held.plot(minutes, [sum(row[place] for row in each.held.values()) for each in samples], label=label, lw=1)
    held.set(ylabel="all processes", ylim=(0, None), xlabel="minutes under load")
    for axes in (memory, delay, held):
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, frameon=False)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)


def _line(axes: Axes, minutes: list[float], samples: Sequence[Sample], name: str, place: int) -> None:
    axes.plot(minutes, [each.held[name][place] if name in each.held else None for each in samples], label=name, lw=1)

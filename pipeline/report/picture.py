"""Picture: the charts of a report below one another, as PNG."""

from __future__ import annotations

import io

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from pipeline.report.chart import COLOURS, SOFT, WIDTH, draw, key, styled
from pipeline.report.content import Content, Panel

MAX_CHARTS = 12
DPI = 150
HEAD, ROW = 1.1, 2.7
"""Inches."""


def png(content: Content) -> bytes:
    """The charts of the gravest dyads; the same bytes for the same report and matplotlib."""
    panels = content.panels[:MAX_CHARTS]
    height = HEAD + ROW * len(panels)
    with styled():
        below_head = ConstrainedLayoutEngine(rect=(0.012, 0.0, 0.976, 1 - HEAD / height), hspace=0.1)
        figure = Figure(figsize=(WIDTH, height), layout=below_head)
        _head(figure, content, height)
        for place, panel in enumerate(panels, 1):
            axes = figure.add_subplot(len(panels), 1, place)
            draw(axes, panel, content.period)
            _name(axes, panel)
        sink = io.BytesIO()
        figure.savefig(sink, format="png", dpi=DPI, metadata={"Software": None}, facecolor="white")
    return sink.getvalue()


def _head(figure: Figure, content: Content, height: float) -> None:
    """What it is, in the space above the charts."""
    figure.text(0.02, 1 - 0.42 / height, content.title, fontsize=17, fontweight="bold")
    figure.text(0.02, 1 - 0.72 / height, _facts(content), fontsize=9.5, color=SOFT)
    signs = "   ".join(key(with_events=content.judged is not None))
    figure.text(0.98, 1 - 0.72 / height, signs, fontsize=8.5, color=SOFT, ha="right")


def _facts(content: Content) -> str:
    begins, ends = content.period
    left = content.panels_left_out + max(0, len(content.panels) - MAX_CHARTS)
    more = f"; {left} more dyads with alerts are not shown" if left else ""
    counts = f"{content.articles:,} articles, {content.signals:,} signals"
    return f"{begins:%-d %B %Y} to {ends:%-d %B %Y}   {counts}{more}"


def _name(axes: Axes, panel: Panel) -> None:
    """The dyad, and in its colour the level it reached."""
    level, name = panel.tally.level, panel.tally.dyad.replace("-", "–")  # noqa: RUF001  a pair's dash
    title = axes.annotate(
        name, (0, 1), (0, 9), "axes fraction", textcoords="offset points", fontsize=12, fontweight="bold"
    )
    axes.annotate(
        level,
        (1, 0),
        (9, 3.5),
        title,
        textcoords="offset points",
        va="baseline",
        fontsize=10,
        fontweight="bold",
        color=COLOURS[level],
    )

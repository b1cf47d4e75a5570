"""Chart: the score of a dyad against its baseline, where levels begin, and what its alerts did; by matplotlib.

Every text in a chart is a number, a date, a dyad's key or a word of ours: nothing that an article says is drawn.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from config.errors import BrinkwatchError
from pipeline.records import Alert, Level, Transition
from pipeline.report.content import Panel, Period
from pipeline.timeline import Point

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
    from matplotlib.figure import Figure
except ImportError as missing:
    raise BrinkwatchError(
        f"drawing the report failed: {missing.name} is missing: pip install 'brinkwatch[report]'"
    ) from missing

INK, SOFT, LINE, AREA = "#1d2129", "#646b77", "#d9d7cf", "#e9edf3"
SCORE = "#24476f"
COLOURS = {Level.CALM: SOFT, Level.WATCH: "#c98a00", Level.WARNING: "#dd5b00", Level.CRITICAL: "#b3261e"}
MARKERS = {Transition.RAISED: "^", Transition.UPDATED: "o", Transition.RESOLVED: "v"}
MAX_POINTS = 1500
"""Points of a line: more are finer than a screen."""
MAX_MARKS = 60
"""Transitions that are marked, the latest."""
WIDTH, HEIGHT = 9.6, 2.5
_STYLE: Any = {
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "text.color": INK,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "brinkwatch",
    "timezone": "UTC",
}
_TICKS = ["%Y", "%b", "%-d", "%H:%M", "%H:%M", "%H:%M:%S"]
_OFFSETS = ["", "%Y", "%Y", "%-d %b %Y", "%-d %b %Y", "%-d %b %Y"]
_NOTHING_ADDED = {"Date": None, "Creator": None, "Format": None, "Type": None}
_SIZE = re.compile(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"')


def key(*, with_events: bool) -> list[str]:
    """What the signs in a chart mean."""
    signs = ["━ score", "╌ baseline", "▲ raised", "● updated", "▼ resolved"]
    return [*signs, "◆ dated event"] if with_events else signs


def svg(panel: Panel, period: Period) -> str:
    """The chart of a dyad over ``period``, to stand inside a page: as wide as its place, texts in the page's font."""
    with styled():
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        draw(figure.subplots(), panel, period)
        sink = io.StringIO()
        figure.savefig(sink, format="svg", metadata=_NOTHING_ADDED, transparent=True)
    drawn = sink.getvalue()
    return _SIZE.sub(r'\1role="img"', drawn[drawn.index("<svg") :], count=1)


def draw(axes: Axes, panel: Panel, period: Period) -> None:
    """Draw a dyad's chart into ``axes``."""
    points = thinned(panel.points)
    line = outline(points, panel.alerts)
    times, scores = [_number(at) for at, _ in line], [score for _, score in line]
    top = ceiling(max(scores, default=0.0), panel)
    _levels(axes, panel, top)
    _stretches(axes, panel, _number(period[1]))
    axes.fill_between(times, scores, color=AREA, linewidth=0, zorder=1)
    axes.plot(times, scores, color=SCORE, linewidth=1.4, zorder=3, solid_joinstyle="round")
    axes.plot(
        [_number(point.at) for point in points],
        [point.baseline for point in points],
        color=SOFT, linewidth=1.0, linestyle=(0, (4, 2)), zorder=2,
    )  # fmt: skip
    _marks(axes, panel.alerts[-MAX_MARKS:])
    _events(axes, [at for at in panel.events if period[0] <= at <= period[1]], top)
    _frame(axes, period, top)


def outline(points: Sequence[Point], alerts: Iterable[Alert]) -> list[tuple[datetime, float]]:
    """The score over time: from nothing at the first signal, through each point, and through each transition."""
    line = {(point.at, point.score) for point in points} | {(alert.at, alert.score) for alert in alerts}
    return [(min(line)[0], 0.0), *sorted(line)]


def thinned(points: Sequence[Point]) -> Sequence[Point]:
    """At most ``MAX_POINTS`` of them: of several that are close together the highest."""
    stride = -(-len(points) // MAX_POINTS) or 1
    return [max(points[at : at + stride], key=lambda point: point.score) for at in range(0, len(points), stride)]


def ceiling(highest: float, panel: Panel) -> float:
    """The chart's upper end: above the highest score, and above the next level if that is near."""
    above = [at for _, at in panel.thresholds if at >= highest]
    shown = above[0] if above and above[0] <= 1.6 * highest else highest
    return max(shown, 1.0) * 1.16


def _levels(axes: Axes, panel: Panel, top: float) -> None:
    """A thin line where each level begins, with its name at the right."""
    for level, at in panel.thresholds:
        if at < top:
            axes.axhline(at, color=COLOURS[level], linewidth=0.8, linestyle=(0, (1, 2)), zorder=1.5)
            axes.annotate(
                f"{level} {at:g}", (1, at), (5, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
                color=COLOURS[level], va="center", fontsize=8,
            )  # fmt: skip


def _stretches(axes: Axes, panel: Panel, end: float) -> None:
    """A band along the bottom while an alert stands, in the colour of its level."""
    for episode in panel.episodes:
        ends = [*(_number(alert.at) for alert in episode.alerts[1:]), end]
        for alert, until in zip(episode.alerts, ends, strict=True):
            if alert.transition is not Transition.RESOLVED:
                begin = _number(alert.at)
                axes.axvspan(begin, until, color=COLOURS[alert.level], alpha=0.10, linewidth=0, zorder=0)
                axes.axvspan(begin, until, 0, 0.025, color=COLOURS[alert.level], linewidth=0, zorder=2.5)


def _marks(axes: Axes, alerts: Sequence[Alert]) -> None:
    """Each transition on the line, in the colour of the level it led to; small where that is the one it had."""
    for alert in alerts:
        axes.plot(
            [_number(alert.at)], [alert.score], MARKERS[alert.transition], color=COLOURS[alert.level],
            markersize=4 if alert.level is alert.previous_level else 7, markeredgecolor="white",
            markeredgewidth=0.8, zorder=4, clip_on=False,
        )  # fmt: skip


def _events(axes: Axes, begins: Sequence[datetime], top: float) -> None:
    """A line where each dated event began."""
    for at in begins[:MAX_MARKS]:
        axes.axvline(_number(at), color=INK, linewidth=0.8, zorder=2.2)
        axes.plot([_number(at)], [top], "D", color=INK, markersize=4.5, clip_on=False, zorder=4)


def _frame(axes: Axes, period: Period, top: float) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.set_ylim(0, top)
    axes.set_xlim(_number(period[0]), _number(period[1]))
    locator = AutoDateLocator(minticks=4, maxticks=10)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, formats=_TICKS, offset_formats=_OFFSETS))
    axes.tick_params(length=0, pad=4)
    axes.tick_params(axis="x", length=3)
    axes.locator_params(axis="y", nbins=4)


def _number(at: datetime) -> float:
    return float(date2num(at))


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib's own defaults and our style, whatever the user's own files say."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        yield

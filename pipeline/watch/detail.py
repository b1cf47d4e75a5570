"""Detail: all there is to say of one alert, or of one dyad, as a text to scroll through."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from pipeline.records import Alert, AlertEvidence, Dyad
from pipeline.watch.board import ARROWS, Board
from pipeline.watch.render import STYLES, clean, highlighted, sparkline, words

LABEL = 9
HISTORY = 48
LONG = 1000
Find = Callable[[], Group | None]
"""Gives the text as it now is; None if what it told of is no more."""


class Detail(Screen[None]):
    """The text, kept up to date while it is looked at; what is gone stays readable, and says so."""

    CSS = """
    #gone { height: auto; padding: 0 1; display: none; }
    #whole { height: 1fr; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,backspace,left", "app.pop_screen", "Back", key_display="esc"),
        Binding("up,k", "up", "Scroll", key_display="↑↓"),
        Binding("down,j", "down", show=False),
        Binding("q", "app.quit", "Quit"),
    ]

    def __init__(self, find: Find) -> None:
        super().__init__()
        self._find = find

    def compose(self) -> ComposeResult:
        """A note where it is gone, the text, keys."""
        yield Static(Text("no longer open: this is how it stood", style="reverse"), id="gone", markup=False)
        with VerticalScroll(id="whole"):
            yield Static("", id="told", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Show it, and let keys scroll it."""
        self.refresh_text()
        self.query_one("#whole").focus()

    def refresh_text(self) -> None:
        """Show how it stands now."""
        text = self._find()
        self.query_one("#gone").display = text is None
        if text is not None:
            self.query_one("#told", Static).update(text)

    def action_up(self) -> None:
        """A line up."""
        self.query_one("#whole").scroll_up(animate=False)

    def action_down(self) -> None:
        """A line down."""
        self.query_one("#whole").scroll_down(animate=False)


def of_alert(board: Board, alert_id: str) -> Group | None:
    """The open alert of that id."""
    alert = board.alerts.get(alert_id)
    return None if alert is None else Group(*alert_parts(alert))


def of_dyad(board: Board, key: str) -> Group | None:
    """The dyad, its open alerts, and what weighs in its score."""
    dyad = board.dyads.get(key)
    if dyad is None:
        return None
    alerts = [alert for alert in board.open_alerts() if alert.dyad == key]
    told = [part for alert in alerts for part in alert_parts(alert)]
    return Group(*dyad_parts(dyad), *(told or [_evidence(dyad.evidence)]))


def dyad_parts(dyad: Dyad) -> list[Table | Text]:
    """How the dyad stands."""
    head = Text().append(f"{clean(dyad.dyad, 60)}  ", "bold").append(dyad.level, STYLES[dyad.level])
    score = f"{dyad.score:.1f} against a baseline of {dyad.baseline:.1f}, {ARROWS[dyad.trend]} {dyad.trend}"
    rows = [("score", score), ("so far", sparkline(dyad.history, HISTORY)), ("as of", _when(dyad.at))]
    return [head, _fields(rows)]


def alert_parts(alert: Alert) -> list[Table | Text]:
    """The alert with its whole explanation."""
    head = Text().append(f"{alert.level}  ", STYLES[alert.level]).append(clean(alert.summary, LONG), "bold")
    rows = [
        ("muted", alert.muted or ""),
        ("began", _when(alert.started_at)),
        ("latest", f"{alert.transition}, {_when(alert.at)} (number {alert.sequence})"),
        ("score", f"{alert.score:.1f} against a baseline of {alert.baseline:.1f}"),
        ("factors", _pairs(alert.factors)),
        ("told by", f"{alert.sources} sources in {alert.stories} stories"),
        ("signals", _pairs(alert.signals)),
        ("amounts", _pairs(alert.magnitudes)),
        ("rule", f"{alert.rule} {alert.rule_version}"),
        ("labels", ", ".join(f"{name}={value}" for name, value in sorted(alert.labels.items()))),
        *sorted(alert.annotations.items()),
    ]
    return [head, _fields(rows), _evidence(alert.evidence)]


def _fields(rows: Iterable[tuple[str, str]]) -> Table:
    """Labelled lines; none where there is nothing to say."""
    table = _grid()
    for label, value in rows:
        if value:
            table.add_row(Text(clean(label, LABEL), "dim"), Text(clean(value, LONG)))
    table.add_row("", "")
    return table


def _evidence(evidence: Iterable[AlertEvidence]) -> Table:
    """Each sentence with its trigger marked, then what it is and where it stands."""
    table = _grid()
    for each in evidence:
        told = f", and {each.sources - 1} more" if each.sources > 1 else ""
        source = f"{clean(each.source, 100) or 'unknown'}{told}, {_when(each.published_at)}"
        below = f"{words(each.event_type)}, {each.modality} — {source}\n{clean(each.url, LONG)}".rstrip()
        weight = Text(f"{each.weight:+.1f}", "red" if each.weight > 0 else "green", justify="right")
        table.add_row(weight, highlighted(each).append(f"\n{below}\n", "dim"))
    return table


def _grid() -> Table:
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=LABEL)
    table.add_column(ratio=1, overflow="fold")
    return table


def _pairs(values: Mapping[str, float]) -> str:
    return ", ".join(f"{words(name)} {round(value, 1) + 0.0:,g}" for name, value in sorted(values.items()))


def _when(at: datetime) -> str:
    return f"{at:%-d %b %Y %H:%M} UTC"

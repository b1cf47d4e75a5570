"""``watch`` on a terminal: dyads, open alerts, and the evidence of the one that is selected; fits 80x24."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Input, Static

from config.errors import BrinkwatchError
from config.settings import Settings
from pipeline.kafka.message import Message
from pipeline.records import Alert, AlertEvidence, Dyad
from pipeline.records.topics import Topics
from pipeline.watch.board import Board, row
from pipeline.watch.detail import Detail, of_alert, of_dyad
from pipeline.watch.render import STYLES, clean, clock, highlighted, words
from pipeline.watch.rows import Cells, Rows
from pipeline.watch.tail import Tail

COLUMNS = (
    ("dyad", 9),
    ("level", 8),
    ("score", 6),
    ("base", 5),
    ("score so far", 12),
    ("", 1),
    ("heaviest evidence", 120),
)
ALERT_COLUMNS = (("", 15), ("", 8), ("", 9), ("", 28), ("", 10), ("", 24))
FEW_COLOURS = frozenset({None, "standard", "windows"})
SIXTEEN = "ansi-dark"
"""A theme of the terminal's own sixteen colours: what others are mapped to is hard to read there."""
REFRESH_S = 0.5
RETRY_S = 3.0
MAX_TAKEN = 5_000
Source = Callable[[threading.Event], Iterator[list[Message]]]
"""Gives messages until the event is set; raises BrinkwatchError when the broker is away."""


def messages_of(settings: Settings) -> Source:
    """The compacted topics from their beginning, then what comes."""
    topics = Topics(settings.topic_prefix)

    def source(stop: threading.Event) -> Iterator[list[Message]]:
        with Tail(settings, "watch") as tail:
            tail.from_beginning(topics.dyads)
            tail.from_beginning(topics.alerts_current)
            while not stop.is_set():
                yield tail.poll()

    return source


class WatchApp(App[None]):
    """The terminal view.

    Args:
        topics: Names of the topics.
        source: Where messages come from; read on a thread of its own.
        until: Ends the view when it is set by someone else.
    """

    TITLE = "brinkwatch"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #status { height: 1; background: $panel; padding: 0 1; }
    #filter { height: 1; border: none; padding: 0 1; display: none; }
    #calm { height: 1; padding: 0 1; }
    #alerts { height: auto; max-height: 6; scrollbar-size-vertical: 1; }
    #dyads { height: 1fr; min-height: 5; border-top: solid $primary; }
    #evidence { height: 8; border-top: solid $primary; padding: 0 1; }
    DataTable { background: $background; overflow-x: hidden; }
    DataTable > .datatable--cursor {
        background: $block-cursor-blurred-background; color: $block-cursor-blurred-foreground; text-style: bold;
    }
    WatchApp:ansi DataTable > .datatable--cursor { background: ansi_white; color: ansi_black; }
    #alerts:blur > .datatable--cursor { background: $background; color: $foreground; text-style: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("escape", "clear", "All", key_display="esc"),
        Binding("tab", "focus_next", "Next part", priority=True),
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
    ]

    def __init__(self, topics: Topics, source: Source, until: threading.Event | None = None) -> None:
        super().__init__()
        self._until = until or threading.Event()
        self._board = Board(topics)
        self._source = source
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._trouble = ""

    def compose(self) -> ComposeResult:
        """Status, filter, open alerts, dyads, evidence, keys."""
        yield Static("waiting for dyads …", id="status", markup=False)
        yield Input(placeholder="words: a side, a dyad, a level, a source …", id="filter", max_length=100)
        yield Static("", id="calm", markup=False)
        yield Rows(ALERT_COLUMNS, id="alerts", show_header=False)
        yield Rows(COLUMNS, id="dyads")
        with VerticalScroll(id="evidence"):
            yield Static("", id="sentences", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Start reading, and looking at what was read."""
        self._dyads.focus()
        threading.Thread(target=self._read, name="watch-reader", daemon=True).start()
        self.set_interval(REFRESH_S, self.take_in)

    def on_unmount(self) -> None:
        """Stop reading."""
        self._stop.set()

    def on_data_table_row_highlighted(self, event: Rows.RowHighlighted) -> None:
        """Show the evidence of what is under the cursor."""
        if event.data_table.has_focus or event.data_table is self._dyads:
            self._show_evidence()

    def on_descendant_focus(self) -> None:
        """The same where the part that has the keyboard changes."""
        self._show_evidence()

    def on_data_table_row_selected(self, event: Rows.RowSelected) -> None:
        """Enter: read all of it."""
        if (key := event.row_key.value) is None:
            return
        find = of_alert if event.data_table is self._alerts else of_dyad
        self.push_screen(Detail(lambda: find(self._board, key)))

    def on_input_changed(self) -> None:
        """Show what matches, as it is typed."""
        self._show()

    def on_input_submitted(self) -> None:
        """Enter: on to what was found."""
        self._main.set_focus(self._dyads)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002  textual's
        """What is done to the lists is not offered where none is seen."""
        return not (action in {"filter", "clear", "focus_next"} and isinstance(self.screen, Detail))

    def action_filter(self) -> None:
        """Type what to show."""
        self._filter.display = True
        self._main.set_focus(self._filter)  # at once: the next key may be here already

    def action_clear(self) -> None:
        """Show everything again."""
        self._filter.value = ""
        self._filter.display = False
        self._main.set_focus(self._dyads)

    def take_in(self) -> None:
        """Bring the view up to date with what was read since."""
        if self._until.is_set():
            self.exit()
        if not self._main.query("#status"):
            return  # it ends: its parts are gone, and the timer is not yet
        taken = 0
        while taken < MAX_TAKEN and not self._messages.empty():
            self._board.take(self._messages.get())
            taken += 1
        self._show_status()
        if taken:
            self._show()
            if isinstance(self.screen, Detail):
                self.screen.refresh_text()

    def _read(self) -> None:
        """Read on this thread until the end; a broker that is away is tried again."""
        while not self._stop.is_set():
            try:
                for batch in self._source(self._stop):
                    self._trouble = ""
                    for message in batch:
                        self._messages.put(message)
            except BrinkwatchError as error:
                self._trouble = str(error)
                self._stop.wait(RETRY_S)

    @property
    def _main(self) -> Screen[Any]:
        return self.screen_stack[0]

    @property
    def _dyads(self) -> Rows:
        return self._main.query_one("#dyads", Rows)

    @property
    def _alerts(self) -> Rows:
        return self._main.query_one("#alerts", Rows)

    @property
    def _filter(self) -> Input:
        return self._main.query_one("#filter", Input)

    def _show(self) -> None:
        wanted = self._filter.value
        alerts = self._board.open_alerts(wanted)
        self._alerts.show([(alert.alert_id, alert_cells(alert)) for alert in alerts])
        self._alerts.display = bool(alerts)
        self._main.query_one("#calm", Static).update(Text("no open alerts", "dim"))
        self._main.query_one("#calm").display = not alerts
        self._dyads.show([(dyad.dyad, dyad_cells(dyad)) for dyad in self._board.ranked(wanted)])
        self._show_status()
        self._show_evidence()

    def _show_status(self) -> None:
        self._main.query_one("#status", Static).update(self._status())

    def _status(self) -> Text:
        latest = max((dyad.at for dyad in self._board.dyads.values()), default=None)
        if self._trouble:
            return Text(clean(self._trouble, 300), style="red")
        if latest is None:
            return Text("no dyads yet: nothing was scored")
        counts = f"{len(self._board.dyads)} dyads, {len(self._board.alerts)} open"
        found = f", {self._dyads.row_count} match" if self._filter.value else ""
        return Text(f"{counts}{found}, as of {latest:%Y-%m-%d} {clock(latest)} UTC")

    def _show_evidence(self) -> None:
        rows = self._alerts if self._alerts.has_focus else self._dyads
        key = rows.chosen
        if key is None:
            text = Text("")
        elif rows is self._alerts:
            text = alert_evidence(self._board.alerts[key]) if key in self._board.alerts else Text("")
        else:
            text = evidence_text(key, self._board)
        self._main.query_one("#sentences", Static).update(text)


def alert_cells(alert: Alert) -> Cells:
    """An open alert on one line that fits 78 columns."""
    style = "dim" if alert.muted is not None else STYLES[alert.level]
    cells = (
        f"{alert.at:%d %b} {clock(alert.at)}",
        str(alert.level),
        clean(alert.dyad, 12),
        f"score {alert.score:.1f} (baseline {alert.baseline:.1f})",
        f"{alert.sources} sources",
        "muted" if alert.muted is not None else clean(alert.rule, 40),
    )
    return tuple(Text(cell, style) for cell in cells)


def dyad_cells(dyad: Dyad) -> Cells:
    """A dyad on one line; its leading evidence goes as far as the terminal does."""
    key, level, score, baseline, spark, arrow, leading = row(dyad)
    return (
        Text(key),
        Text(level, STYLES[dyad.level]),
        Text(score, justify="right"),
        Text(baseline, justify="right"),
        Text(spark, STYLES[dyad.level]),
        Text(arrow),
        Text(leading),
    )


def evidence_text(dyad: str, board: Board) -> Text:
    """What the dyad's gravest open alert, or its score, rests on."""
    alert = next((alert for alert in board.open_alerts() if alert.dyad == dyad), None)
    if alert is not None:
        return alert_evidence(alert)
    held = board.dyads.get(dyad)
    return _sentences(dyad, held.evidence if held else ())


def alert_evidence(alert: Alert) -> Text:
    """What an alert rests on."""
    muted = "muted: " if alert.muted is not None else ""
    return _sentences(f"{muted}{clean(alert.summary, 300)}", alert.evidence)


def _sentences(head: str, evidence: Iterable[AlertEvidence]) -> Text:
    """Each sentence with its trigger marked."""
    text = Text().append(f"{head}\n", "bold")
    for each in evidence:
        text.append(f"{each.weight:+5.1f} ", style="cyan")
        text.append(f"{words(each.event_type)}, {each.modality}: ", style="dim")
        text.append_text(highlighted(each))
        text.append(f" — {clean(each.source, 60)}, {each.published_at:%d %b %H:%M}\n", style="dim")
    return text


def run_app(settings: Settings, until: threading.Event | None = None) -> None:
    """Show the view until the person leaves it, or ``until`` is set. Logs are kept off the screen meanwhile."""
    handlers = logging.getLogger().handlers[:]
    for handler in handlers:
        logging.getLogger().removeHandler(handler)
    try:
        app = WatchApp(Topics(settings.topic_prefix), messages_of(settings), until)
        if app.console.color_system in FEW_COLOURS:
            app.theme = SIXTEEN
        app.run()
    finally:
        for handler in handlers:
            logging.getLogger().addHandler(handler)

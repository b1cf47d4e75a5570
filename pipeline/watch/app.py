"""``watch`` on a terminal: dyads, open alerts, and the evidence of the one that is selected; fits 80x24."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import DataTable, Footer, Static

from config.errors import BrinkwatchError
from config.settings import Settings
from pipeline.kafka.message import Message
from pipeline.records import Alert, Dyad
from pipeline.records.topics import Topics
from pipeline.watch.board import Board, row
from pipeline.watch.render import STYLES, clean, clock, highlighted, words
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
    #alerts { height: auto; max-height: 5; padding: 0 1; }
    #dyads { height: 1fr; min-height: 5; }
    #evidence { height: 9; border-top: solid $primary; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("ctrl+c", "quit", show=False, priority=True),
        Binding("tab", "focus_next", "Evidence"),
    ]

    def __init__(self, topics: Topics, source: Source, until: threading.Event | None = None) -> None:
        super().__init__()
        self._until = until or threading.Event()
        self._board = Board(topics)
        self._source = source
        self._messages: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._trouble = ""
        self._selected: str | None = None

    def compose(self) -> ComposeResult:
        """Status, open alerts, dyads, evidence, keys."""
        yield Static("waiting for dyads …", id="status", markup=False)
        yield Static("", id="alerts", markup=False)
        yield DataTable[Text | str](id="dyads", cursor_type="row", zebra_stripes=True)
        with VerticalScroll(id="evidence"):
            yield Static("", id="sentences", markup=False)
        yield Footer()

    def on_mount(self) -> None:
        """Start reading, and looking at what was read."""
        table = self._table
        for label, width in COLUMNS:
            table.add_column(label, width=width)
        table.focus()
        threading.Thread(target=self._read, name="watch-reader", daemon=True).start()
        self.set_interval(REFRESH_S, self.take_in)

    def on_unmount(self) -> None:
        """Stop reading."""
        self._stop.set()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Show the evidence of the dyad under the cursor."""
        self._selected = event.row_key.value if event.row_key is not None else None
        self._show_evidence()

    def take_in(self) -> None:
        """Bring the view up to date with what was read since."""
        if self._until.is_set():
            self.exit()
        taken = 0
        while taken < MAX_TAKEN and not self._messages.empty():
            self._board.take(self._messages.get())
            taken += 1
        self._show_status()
        if taken:
            self._show_dyads()
            self._show_alerts()
            self._show_evidence()

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
    def _table(self) -> DataTable[Text | str]:
        return self.query_one("#dyads", DataTable)

    def _show_status(self) -> None:
        latest = max((dyad.at for dyad in self._board.dyads.values()), default=None)
        if self._trouble:
            text = Text(clean(self._trouble, 300), style="red")
        elif latest is None:
            text = Text("no dyads yet: nothing was scored")
        else:
            counts = f"{len(self._board.dyads)} dyads, {len(self._board.alerts)} open"
            text = Text(f"{counts}, as of {latest:%Y-%m-%d} {clock(latest)} UTC")
        self.query_one("#status", Static).update(text)

    def _show_dyads(self) -> None:
        table, ranked = self._table, self._board.ranked()
        chosen, scroll = self._selected, table.scroll_y
        table.clear()
        for dyad in ranked:
            table.add_row(*_cells(dyad), key=dyad.dyad)
        keys = [dyad.dyad for dyad in ranked]
        if chosen in keys:
            table.move_cursor(row=keys.index(chosen), animate=False)
            table.scroll_to(y=scroll, animate=False)

    def _show_alerts(self) -> None:
        lines = [_alert_row(alert) for alert in self._board.open_alerts()]
        self.query_one("#alerts", Static).update(Text("\n").join(lines) if lines else Text("no open alerts", "dim"))

    def _show_evidence(self) -> None:
        shown = evidence_text(self._selected, self._board) if self._selected else Text("")
        self.query_one("#sentences", Static).update(shown)


def _alert_row(alert: Alert) -> Text:
    """An open alert on one line that fits 78 columns."""
    score = f"score {alert.score:.1f} (baseline {alert.baseline:.1f})"
    when = f"{alert.at:%d %b} {clock(alert.at)}"
    line = f"{when}  {alert.level:<8} {clean(alert.dyad, 12):<9} {score}  {alert.sources} sources"
    return Text(line, STYLES[alert.level], no_wrap=True, overflow="ellipsis")


def _cells(dyad: Dyad) -> tuple[Text | str, ...]:
    key, level, score, baseline, spark, arrow, leading = row(dyad)
    return (
        key,
        Text(level, STYLES[dyad.level]),
        Text(score, justify="right"),
        Text(baseline, justify="right"),
        Text(spark, STYLES[dyad.level]),
        arrow,
        Text(leading),
    )


def evidence_text(dyad: str, board: Board) -> Text:
    """What the dyad's score or open alert rests on: each sentence with its trigger marked."""
    alert: Alert | None = next((alert for alert in board.open_alerts() if alert.dyad == dyad), None)
    text = Text(f"{clean(alert.summary, 300)}\n" if alert else f"{dyad}\n", style="bold")
    for each in board.evidence(dyad):
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
        WatchApp(Topics(settings.topic_prefix), messages_of(settings), until).run()
    finally:
        for handler in handlers:
            logging.getLogger().addHandler(handler)

"""The terminal view, run for real without a terminal, at 80x24."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psutil
import pytest
import samples
from msgspec import structs
from textual.widgets import DataTable, Static

from config.errors import BrinkwatchError
from config.settings import load_settings
from pipeline.kafka.message import Message
from pipeline.records import Alert, Dyad, Level, encode
from pipeline.records.topics import Topics
from pipeline.watch.app import WatchApp, messages_of
from pipeline.watch.board import Board

if TYPE_CHECKING:
    from collections.abc import Iterator

TOPICS = Topics("x")
SIZE = (80, 24)


def as_message(record: Dyad | Alert) -> Message:
    """The record as it stands on its compacted topic."""
    if isinstance(record, Dyad):
        return Message(TOPICS.dyads.name, 0, 0, 0, record.dyad.encode(), encode(record))
    return Message(TOPICS.alerts_current.name, 0, 0, 0, record.alert_id.encode(), encode(record))


def feed(*batches: list[Message]):
    """A source that gives these batches, then nothing."""

    def source(stop: threading.Event) -> Iterator[list[Message]]:
        yield from batches
        stop.wait(30)

    return source


def shown(app: WatchApp, name: str) -> str:
    """The text of a part of the view."""
    return str(app.query_one(f"#{name}", Static).render())


async def settle(pilot) -> None:
    """Wait until what was given is taken in."""
    for _ in range(50):
        await pilot.pause(0.02)
        pilot.app.take_in()
        if pilot.app._board.dyads:
            break
    await pilot.pause()


CALM = samples.dyad(dyad="ARV-BRN", score=2.0, level=Level.CALM, open_alert=None)
WATCHED = samples.dyad(evidence=samples.alert().evidence)


async def test_dyads_alerts_and_evidence_fit_a_small_terminal():
    """The gravest dyad comes first, its open alert stands above, and its sentence below, without a key pressed."""
    app = WatchApp(TOPICS, feed([as_message(CALM), as_message(WATCHED), as_message(samples.alert())]))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        table = app.query_one("#dyads", DataTable)
        assert [str(table.get_row_at(row)[0]) for row in range(table.row_count)] == ["RUS-UKR", "ARV-BRN"]
        assert "watch    RUS-UKR   score 12.0" in shown(app, "alerts")
        assert "Arvia moved 4,000 troops" in shown(app, "sentences")
        assert "2 dyads, 1 open" in shown(app, "status")
        for part in ("status", "alerts", "dyads", "evidence"):
            region = app.query_one(f"#{part}").region
            assert region.height > 0
            assert region.right <= SIZE[0]
            assert region.bottom <= SIZE[1]


async def test_selecting_another_dyad_shows_its_evidence():
    """The cursor decides; it stays on its dyad when the order changes."""
    app = WatchApp(TOPICS, feed([as_message(CALM), as_message(WATCHED)]))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("down")
        await pilot.pause()
        assert shown(app, "sentences").startswith("ARV-BRN")
        app._messages.put(as_message(samples.dyad(dyad="ARV-BRN", score=99.0, level=Level.CRITICAL)))
        app.take_in()
        await pilot.pause()
        assert shown(app, "sentences").startswith("ARV-BRN")
        assert app.query_one("#dyads", DataTable).cursor_row == 0


async def test_a_broker_that_goes_away_is_told():
    """What was read stays, and the status line says what is wrong."""

    def source(stop: threading.Event) -> Iterator[list[Message]]:
        yield [as_message(CALM)]
        raise BrinkwatchError("reading failed: 127.0.0.1:1: gone")

    app = WatchApp(TOPICS, source)
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "gone" in shown(app, "status")
        assert app.query_one("#dyads", DataTable).row_count == 1


def test_trying_again_leaves_nothing_behind(monkeypatch):
    """A view left open overnight while Kafka is away tries thousands of times: no thread or open file may stay."""
    monkeypatch.setattr("pipeline.kafka.client.REACH_PAUSE_S", 0.01)
    source = messages_of(load_settings(bootstrap_servers="127.0.0.1:1,[::1]:1,127.0.0.1:nonsense"))
    threads, files = set(threading.enumerate()), psutil.Process().num_fds()
    for _ in range(3):
        with pytest.raises(BrinkwatchError, match=r"connecting to Kafka failed: 127\.0\.0\.1:1,.*is the broker up"):
            next(source(threading.Event()))
    assert set(threading.enumerate()) <= threads
    assert psutil.Process().num_fds() <= files


async def test_hostile_words_are_shown_as_words():
    """Markup and control characters of a headline are text, not commands."""
    plain = samples.alert().evidence[0]
    each = structs.replace(plain, sentence="[red]x[/nope] \x1b[2J [", trigger_span=(0, 5))
    app = WatchApp(TOPICS, feed([as_message(samples.dyad(evidence=(each,)))]))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "[red]x[/nope]" in shown(app, "sentences")
        assert "\x1b" not in shown(app, "sentences")


def test_a_board_passes_over_what_it_cannot_read():
    """Junk and tombstones of unknown keys change nothing; a tombstone takes its dyad away."""
    board = Board(TOPICS)
    board.take(as_message(CALM))
    for value in (b"junk", b"{}"):
        board.take(Message(TOPICS.dyads.name, 0, 0, 0, b"ARV-BRN", value))
        board.take(Message(TOPICS.alerts_current.name, 0, 0, 0, b"x", value))
    board.take(Message(TOPICS.alerts_current.name, 0, 0, 0, None, None))
    assert list(board.dyads) == ["ARV-BRN"]
    board.take(Message(TOPICS.dyads.name, 0, 0, 0, b"ARV-BRN", None))
    assert not board.dyads

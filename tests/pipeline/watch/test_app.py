"""The terminal view, run for real without a terminal, at 80x24."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psutil
import pytest
import samples
from msgspec import structs
from textual.widgets import DataTable, Input, Static

from config.errors import BrinkwatchError
from config.settings import load_settings
from pipeline.kafka.message import Message
from pipeline.records import Alert, Dyad, Level, encode
from pipeline.records.topics import Topics
from pipeline.watch.app import SIXTEEN, WatchApp, messages_of
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
    return str(app.screen_stack[0].query_one(f"#{name}", Static).render())


def screen(app: WatchApp) -> str:
    """What stands on the screen, line by line, as a person sees it."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


def dyads(app: WatchApp) -> list[str]:
    """The dyads in the table, from the top."""
    table = app.screen_stack[0].query_one("#dyads", DataTable)
    return [str(table.get_row_at(row)[0]) for row in range(table.row_count)]


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
        assert dyads(app) == ["RUS-UKR", "ARV-BRN"]
        assert "watch     RUS-UKR    score 12.0 (baseline 1.0)" in screen(app)
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


EXPLAINED = samples.alert(
    summary="RUS–UKR watch: score 12.0 against baseline 1.0",  # noqa: RUF001  a pair's dash
    factors={"escalation": 12.25, "calming": -0.01},
    magnitudes={"troops": 4000.0},
    labels={"team": "north"},
    annotations={"runbook": "call the desk"},
)
HEAVY = structs.replace(samples.alert().evidence[0], sources=3, weight=6.5)


async def test_reading_all_of_an_alert_and_going_back():
    """Tab to the alerts, enter, and everything about it is there, sentence and source too; escape leads back."""
    alert = structs.replace(EXPLAINED, evidence=(HEAVY,) * 8)
    app = WatchApp(TOPICS, feed([as_message(CALM), as_message(WATCHED), as_message(alert)]))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app.query_one("#alerts").focus()
        await pilot.press("enter")
        await pilot.pause()
        seen = screen(app)
        for part in (
            "calming 0, escalation 12.2",
            "troops 4,000",
            "team=north",
            "call the desk",
            "escalation 000000000000",
            "deployment/asserted 2",
            "+6.5 Arvia moved 4,000 troops",
            "esc Back",
        ):
            assert part in seen, seen
        assert "Filter" not in seen
        await pilot.press("end")
        await pilot.pause()
        assert "deployment, asserted — wire.example, and 2 more, 6 May 2024 12:00" in screen(app)
        assert "https://wire.example/1" in screen(app)
        await pilot.press("escape")
        await pilot.pause()
        assert "heaviest evidence" in screen(app)


async def test_reading_all_of_a_dyad_follows_it():
    """The text changes as the dyad does, and stays where the dyad is forgotten meanwhile."""
    app = WatchApp(TOPICS, feed([as_message(WATCHED)]))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await pilot.pause()
        assert "12.0 against a baseline of 1.0" in screen(app)
        app._messages.put(as_message(structs.replace(WATCHED, score=44.0)))
        app.take_in()
        await pilot.pause()
        assert "44.0 against a baseline of 1.0" in screen(app)
        app._messages.put(Message(TOPICS.dyads.name, 0, 0, 0, b"RUS-UKR", None))
        app.take_in()
        await pilot.pause()
        assert "no longer open" in screen(app)
        assert "44.0 against" in screen(app)


async def test_filter_by_typing():
    """Every word must be found, in names, levels, sentences or sources; escape shows everything again."""
    app = WatchApp(TOPICS, feed([as_message(CALM), as_message(WATCHED), as_message(samples.alert())]))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        for typed, expected in (("arv calm", ["ARV-BRN"]), ("troops wire", ["RUS-UKR"]), ("[no such", [])):
            await pilot.press("slash", *(letter if letter != " " else "space" for letter in typed))
            await pilot.pause()
            assert app.query_one("#filter", Input).value == typed
            assert dyads(app) == expected
            assert f"{len(expected)} match" in screen(app)
            assert ("no open alerts" in screen(app)) is (expected != ["RUS-UKR"])
            await pilot.press("escape")
            await pilot.pause()
            assert dyads(app) == ["RUS-UKR", "ARV-BRN"]
        await pilot.press("slash", "b", "r", "n", "enter", "enter")
        await pilot.pause()
        assert screen(app).startswith(" ARV-BRN")


async def test_muted_alerts_are_marked_and_last():
    """They are open, but nobody was told: whoever watches sees that, and why."""
    muted = samples.alert(alert_id="a" * 32, dyad="ARV-BRN", level=Level.CRITICAL, muted="silence: planned exercise")
    app = WatchApp(TOPICS, feed([as_message(CALM), as_message(WATCHED), as_message(muted), as_message(EXPLAINED)]))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        table = app.query_one("#alerts", DataTable)
        assert [str(table.get_row_at(row)[2]) for row in range(2)] == ["RUS-UKR", "ARV-BRN"]
        assert [str(table.get_row_at(row)[5]) for row in range(2)] == ["escalation", "muted"]
        table.focus()
        await pilot.press("down", "enter")
        await pilot.pause()
        assert "silence: planned exercise" in screen(app)


@pytest.mark.parametrize("size", [(80, 24), (220, 60)])
async def test_five_hundred_dyads(size):
    """All are there, the cursor stays on its dyad while scores change, and nothing leaves the screen."""
    many = [samples.dyad(dyad=f"AAA-{number:03}", score=500.0 - number) for number in range(500)]
    app = WatchApp(TOPICS, feed([as_message(each) for each in many]))
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        assert len(dyads(app)) == 500
        await pilot.press("end", "up")
        await pilot.pause()
        assert shown(app, "sentences").startswith("AAA-498")
        for each in many[:250]:
            app._messages.put(as_message(structs.replace(each, score=each.score / 7)))
        app.take_in()
        await pilot.pause()
        assert shown(app, "sentences").startswith("AAA-498")
        assert max(map(len, screen(app).split("\n"))) <= size[0]
        await pilot.press("slash", "4", "9", "9")
        await pilot.pause()
        assert dyads(app) == ["AAA-499"]


async def test_a_score_that_changes_is_drawn():
    """In the same order too, where only cells are drawn anew, and a level's colour with them."""
    app = WatchApp(TOPICS, feed([as_message(WATCHED)]))
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        app._messages.put(as_message(structs.replace(WATCHED, score=77.7, level=Level.CRITICAL)))
        app.take_in()
        await pilot.pause()
        assert "critical" in screen(app)
        assert "77.7" in screen(app)


async def test_sixteen_colours():
    """With the terminal's own colours everything is drawn too, and levels are words."""
    app = WatchApp(TOPICS, feed([as_message(WATCHED), as_message(samples.alert())]))
    app.theme = SIXTEEN
    async with app.run_test(size=SIZE) as pilot:
        await settle(pilot)
        assert "watch     RUS-UKR" in screen(app)


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

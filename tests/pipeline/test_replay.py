"""Replay: lines in, alerts out, the same bytes whatever the order; bad lines named, bounded and skipped."""

from __future__ import annotations

import io
import json
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from samples import article
from timelines import at, rules, told

from pipeline.records import Article, Transition, encode
from pipeline.replay import MAX_LINE, LineError, bounded_lines, parse_line, published_at, read, replay
from pipeline.scoring.book import Book

if TYPE_CHECKING:
    from pipeline.records import Signal

GOOD = {
    "published": "2031-05-06T10:00:00Z",
    "title": "Arvia moves troops",
    "source": "a.example",
    "url": "https://a.example/1",
}


@dataclass
class Extraction:
    """What the stub found."""

    signals: tuple[Signal, ...]


class Stub:
    """Finds a signal in every title that says how grave it is: ``ARV-BRN 12``."""

    def extract(self, articles: list[Article]) -> list[Extraction]:
        """One signal an article, or none."""
        return [Extraction(self._signals(article)) for article in articles]

    def _signals(self, article: Article) -> tuple[Signal, ...]:
        match = re.fullmatch(r"([A-Z*]+-[A-Z]+) (-?\d+)", article.title)
        if match is None:
            return ()
        times = {"observed_at": article.observed_at, "published_at": article.published_at}
        return (told(0, article.article_id, float(match[2]), dyads=(match[1],), source=article.source, **times),)


def line(hours: float, title: str, **more: str) -> dict[str, str]:
    """A line of the input."""
    return {"published": at(hours).isoformat(), "title": title, "url": f"https://x.example/{hours}/{title}"} | more


def lines(items: list[dict[str, str]]) -> list[bytes]:
    """As they stand in a file."""
    return [json.dumps(item).encode() for item in items]


def timeline() -> list[dict[str, str]]:
    """Two dyads over a month: one rises, calms and rises again, one stays low."""
    chance = random.Random(3)
    items = [line(hour, f"ARV-BRN {chance.choice([3, 6, 9])}") for hour in range(0, 200, 7)]
    items += [line(200 + hour, "ARV-BRN -8") for hour in range(0, 60, 2)]
    items += [line(600 + hour, f"ARV-BRN {20 + hour}") for hour in range(5)]
    return items + [line(hour, "ARV-CAL 1") for hour in range(0, 700, 50)] + [line(5, "Nothing happened")]


def outcome(items: list[dict[str, str]]) -> tuple[bytes, bytes]:
    """Alerts and dyads as they would be written."""
    result = replay(read(lines(items), on_error=pytest.fail), Stub(), rules(hold_for="1h"))
    return b"\n".join(map(encode, result.alerts)), b"\n".join(map(encode, result.dyads))


def test_twice_the_same_bytes_in_any_order():
    """The order of lines, and repeated lines, change nothing at all."""
    items = timeline()
    first = outcome(items)
    assert first == outcome(items)
    shuffled = items + items[:20]
    random.Random(1).shuffle(shuffled)
    assert outcome(shuffled) == first
    assert b'"raised"' in first[0]
    assert b'"resolved"' in first[0]


def test_replay_agrees_with_live():
    """The same signals through one book as they come, time passing every few minutes, give the same transitions."""
    result = replay(read(lines(timeline()), on_error=pytest.fail), Stub(), rules(hold_for="1h"))
    book = Book(rules(hold_for="1h"))
    arrived = sorted(result.signals, key=lambda each: (each[1].observed_at, each[1].signal_id))
    now = arrived[0][1].observed_at
    for dyad, signal in arrived:
        while now < signal.observed_at - timedelta(minutes=37):
            now += timedelta(minutes=37)
            book.advance(now)
        book.apply(dyad, signal)
    book.advance(arrived[-1][1].observed_at + timedelta(hours=1))
    live = sorted(book.drain()[0], key=lambda alert: (alert.at, alert.dyad, alert.sequence))
    assert live == result.alerts


def test_heartbeats_are_left_out():
    """A recorded topic holds them; they are no articles, and their time is none of the replay's."""
    told = replay([article(title="ARV-BRN 12", heartbeat=True)], Stub(), rules())
    assert (told.articles, told.signals, told.dyads) == (0, [], [])


def test_time_ends_soon_after_the_last_article():
    """What is open at the end stays open: silence after the archive is not calm."""
    result = replay(read(lines([line(0, "ARV-BRN 30")]), on_error=pytest.fail), Stub(), rules())
    assert [alert.transition for alert in result.alerts] == [Transition.RAISED]
    assert result.dyads[0].open_alert == result.alerts[0].alert_id


def test_an_article_that_breaks_extraction_is_passed_over():
    """The others of its batch count, as they do live, and it is told which one it was."""

    class Brittle(Stub):
        """Breaks on one title."""

        def extract(self, articles: list[Article]) -> list[Extraction]:
            """As the stub, unless the title is among them."""
            if any(article.title == "break" for article in articles):
                raise RecursionError
            return super().extract(articles)

    items = [line(0, "ARV-BRN 30"), line(1, "break"), line(2, "ARV-CAL 30")]
    result = replay(read(lines(items), on_error=pytest.fail), Brittle(), rules())
    assert [alert.dyad for alert in result.alerts] == ["ARV-BRN", "ARV-CAL"]
    assert len(result.crashed) == 1


def test_nothing_in_nothing_out():
    """An empty file is no failure."""
    result = replay([], Stub(), rules())
    assert (result.articles, result.alerts, result.dyads) == (0, [], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2031-05-06", datetime(2031, 5, 6, 12, tzinfo=UTC)),
        ("2031-05-06T10:00:00Z", datetime(2031, 5, 6, 10, tzinfo=UTC)),
        ("2031-05-06T10:00:00", datetime(2031, 5, 6, 10, tzinfo=UTC)),
        ("2031-05-06T10:00:00+02:00", datetime(2031, 5, 6, 8, tzinfo=UTC)),
    ],
)
def test_dates(text: str, expected: datetime):
    """A date alone is its noon; a time without zone is UTC."""
    assert published_at(text) == expected


BAD = [
    b"no json",
    b"[]",
    b"{}",
    b'{"published": 5, "title": "x"}',
    b'{"published": "soon", "title": "x"}',
    b'{"published": "0001-01-01T00:00:00+14:00", "title": "x"}',
    b'{"published": "9999-12-31T23:30:00Z", "title": "x"}',
    b'{"published": "2031-05-06", "title": " "}',
    b'{"published": "2031-05-06", "title": "\xff"}',
    b'{"a":' * 5000,
]


@pytest.mark.parametrize("raw", BAD)
def test_a_bad_line_is_named_and_passed_over(raw: bytes):
    """The error says which line; the lines around it count."""
    with pytest.raises(LineError, match="line 7: "):
        parse_line(raw, 7)
    good = json.dumps(GOOD).encode()
    errors: list[LineError] = []
    assert len(list(read([good, raw, b"", good], errors.append))) == 2
    assert [str(error).split(": ")[1] for error in errors] == ["line 2"]


def test_an_endless_line_takes_no_memory():
    """Only the beginning of a line that is too long is read, and the next line is whole."""
    file = io.BytesIO(b"x" * (3 * MAX_LINE) + b"\n" + json.dumps(GOOD).encode())
    found = list(bounded_lines(file))
    assert len(found) == 2
    errors: list[LineError] = []
    assert len(list(read(found, errors.append))) == 1
    assert "longer" in str(errors[0])


def test_an_article_without_address_has_an_identity():
    """It is known by when, where and what; the outlet is the address's where it is not given."""
    bare = {key: value for key, value in GOOD.items() if key in {"published", "title"}}
    one, again = (parse_line(json.dumps(bare).encode(), 1) for _ in range(2))
    other = parse_line(json.dumps(bare | {"title": "Something else"}).encode(), 1)
    assert one.article_id == again.article_id != other.article_id
    hosted = parse_line(json.dumps({**bare, "url": "https://www.b.example/x"}).encode(), 1)
    assert hosted.source == "b.example"
    assert hosted.observed_at == hosted.published_at == datetime(2031, 5, 6, 10, tzinfo=UTC)

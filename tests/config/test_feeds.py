"""The list of feeds."""

from __future__ import annotations

import contextlib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from config.duration import seconds
from config.errors import ConfigError
from config.feeds import CAP_S, FLOOR_S, Feed, check_feeds, load_feeds

SHIPPED = Path(__file__).parents[2] / "config" / "feeds.yaml"


def write(folder: Path, text: str) -> Path:
    """A feeds file."""
    path = folder / "feeds.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    """What is wrong with it, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load_feeds(path)
    return [str(fault).replace(str(path), "feeds.yaml") for fault in caught.value.faults]


def test_shipped_list_is_sound():
    """What ships is checked, has dozens of outlets, and no two poll one address."""
    feeds = load_feeds(SHIPPED)
    assert len(feeds) >= 30
    assert len({urlsplit(feed.url).hostname for feed in feeds}) >= 28
    assert all(FLOOR_S <= feed.interval_s <= CAP_S for feed in feeds)
    assert not any(feed.drill for feed in feeds)


def test_defaults_fill_what_a_feed_does_not_say(tmp_path: Path):
    """The block `defaults` gives the interval; a feed's own word wins."""
    path = write(
        tmp_path,
        "defaults: {interval: 30m}\nfeeds:\n"
        "  - {id: a, url: https://a.example/rss}\n"
        "  - {id: b, url: https://b.example/rss, interval: 1h, language: en, source: b.example, enabled: false}\n",
    )
    assert load_feeds(path) == (
        Feed("a", "https://a.example/rss", 1800.0, adapts=True),
        Feed("b", "https://b.example/rss", 3600.0, source="b.example", language="en", enabled=False),
    )


def test_a_feed_adapts_unless_it_has_an_interval_or_is_a_drill(tmp_path: Path):
    """What the operator sets is fixed, a drill is too; the others keep within the bounds that are nearest to them."""
    path = write(
        tmp_path,
        "defaults: {interval: 20m, min_interval: 10m, max_interval: 1h, full_text: on_trigger}\nfeeds:\n"
        "  - {id: a, url: https://a.example/rss}\n"
        "  - {id: b, url: https://b.example/rss, interval: 5m, full_text: never}\n"
        "  - {id: c, url: https://c.example/rss, min_interval: 30m, max_interval: 6h, full_text: always}\n"
        "  - {id: d, url: https://d.example/rss, max_interval: 15m}\n"
        "  - {id: e, url: https://e.example/rss, drill: true}\n",
    )
    assert [(f.adapts, f.interval_s, f.floor_s, f.cap_s, f.full_text) for f in load_feeds(path)] == [
        (True, 1200, 600, 3600, "on_trigger"),
        (False, 300, 600, 3600, "never"),
        (True, 1800, 1800, 21600, "always"),
        (True, 900, 600, 900, "on_trigger"),
        (False, 1200, 600, 3600, "on_trigger"),
    ]


def test_bounds_that_hold_nothing_are_told_with_their_line(tmp_path: Path):
    """Bounds the wrong way round, an interval outside of them, and bounds of what does not adapt."""
    assert faults(
        write(
            tmp_path,
            "defaults:\n"
            "  interval: 3h\n"
            "feeds:\n"
            "  - {id: a, url: https://a.example/rss, interval: 10m, min_interval: 5m}\n"
            "  - {id: b, url: https://b.example/rss, min_interval: 3h}\n"
            "  - {id: c, url: https://c.example/rss, drill: true, max_interval: 1h}\n",
        )
    ) == [
        "feeds.yaml:2: defaults.interval: a duration from 300s to 7200s (min_interval, max_interval)",
        "feeds.yaml:4: feeds[0].min_interval: neither min_interval nor max_interval with a drill or a fixed interval",
        "feeds.yaml:5: feeds[1].min_interval: a min_interval of at most max_interval (10800s, 7200s)",
        "feeds.yaml:6: feeds[2].max_interval: neither min_interval nor max_interval with a drill or a fixed interval",
    ]
    wrong = write(tmp_path, "defaults: {min_interval: 2h, max_interval: 1h}\nfeeds: []\n")
    assert faults(wrong) == ["feeds.yaml:1: defaults.min_interval: at most max_interval (3600s)"]


def test_an_empty_list_is_a_list(tmp_path: Path):
    """No feeds is allowed: a drill brings its own."""
    assert load_feeds(write(tmp_path, "feeds: []\n")) == ()


def test_every_fault_is_listed_with_its_line(tmp_path: Path):
    """A file with five slips gives five faults in one go, repeats among them."""
    path = write(
        tmp_path,
        "feeds:\n"
        "  - id: a\n"
        "    url: ftp://a.example/rss\n"
        "  - id: a\n"
        "    url: https://b.example/rss\n"
        "    interval: 10s\n"
        "  - id: c\n"
        "    url: https://b.example/rss\n"
        "    interval: 15\n"
        "    colour: red\n",
    )
    assert faults(path) == [
        "feeds.yaml:3: feeds[0].url: a URL of http or https with a host (found 'ftp://a.example/rss')",
        "feeds.yaml:4: feeds[1].id: each id once, but feeds[0] has 'a' too",
        "feeds.yaml:6: feeds[1].interval: a duration from 60s to 24h (found '10s')",
        "feeds.yaml:8: feeds[2].url: each url once, but feeds[1] has 'https://b.example/rss' too",
        "feeds.yaml:9: feeds[2].interval: a duration such as 48h, 15m or 90s (found 15)",
        "feeds.yaml:10: feeds[2].colour: no such setting",
    ]


def test_no_fault_hides_behind_another(tmp_path: Path):
    """A missing block, bounds the wrong way round and a file that is not there are told beside a key that is none."""
    path = write(
        tmp_path,
        "access:\n"
        "  intranet: {bearer_file: missing}\n"
        "  broken: {colour: red}\n"
        "feeds:\n"
        "  - {id: a, url: https://a.example/rss, access: nope}\n"
        "  - {id: b, url: https://b.example/rss, min_interval: 3h}\n"
        "  - {id: c, url: https://c.example/rss, access: broken, interval: 5s}\n",
    )
    with pytest.raises(ConfigError) as caught:
        check_feeds(path)
    assert [(fault.line, fault.key) for fault in caught.value.faults] == [
        (2, "access.intranet.bearer_file"),
        (3, "access.broken.colour"),
        (5, "feeds[0].access"),
        (6, "feeds[1].min_interval"),
        (7, "feeds[2].interval"),
    ]


@pytest.mark.parametrize("text", ["", "feeds: 7\n", "access: []\nfeeds: {a: b}\n", "defaults: 3\nfeeds: [1]\n", "[]\n"])
def test_what_is_no_list_at_all(tmp_path: Path, text: str):
    """Whatever stands there is a fault, or an empty list, and no exception of another kind."""
    with contextlib.suppress(ConfigError):
        assert check_feeds(write(tmp_path, text)) == ()


@pytest.mark.parametrize(
    "entry",
    [
        "{id: a}",
        "{id: A B, url: https://a.example}",
        "{id: a, url: 'https://user:secret@a.example/'}",
        "{id: a, url: 'https://a.example:99999/'}",
        "{id: a, url: 'https://a.example/ b'}",
        "{id: a, url: 'https:///feed'}",
        "{id: a, url: https://a.example, interval: 25h}",
        "{id: a, url: https://a.example, source: 'https://a.example'}",
        "{id: a, url: https://a.example, language: english}",
        "{id: a, url: https://a.example, drill: true, interval: 0s}",
        "{id: a, url: https://a.example, min_interval: 30s}",
        "{id: a, url: https://a.example, max_interval: 2d}",
        "{id: a, url: https://a.example, full_text: sometimes}",
        "just text",
    ],
)
def test_what_is_refused(tmp_path: Path, entry: str):
    """Each of these is a fault at its feed."""
    assert all(fault.startswith("feeds.yaml:1: feeds[0]") for fault in faults(write(tmp_path, f"feeds: [{entry}]\n")))


def test_a_drill_may_be_quick(tmp_path: Path):
    """Only feeds of a drill may be polled every few seconds."""
    (feed,) = load_feeds(write(tmp_path, "feeds: [{id: a, url: 'http://127.0.0.1:1/a', drill: true, interval: 2s}]\n"))
    assert feed.interval_s == 2.0


@pytest.mark.parametrize(("text", "length"), [("90s", 90.0), ("15m", 900.0), (" 1h ", 3600.0), ("1d", 86400.0)])
def test_durations(text: str, length: float):
    """Seconds, minutes, hours, days."""
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "15", "m", "1h30m", "-1m", 900, None, "1w"])
def test_no_durations(text: object):
    """Anything whose unit would have to be guessed is refused."""
    with pytest.raises(ValueError, match="a duration such as"):
        seconds(text)

"""Edits of the list of feeds: what is meant changes, and not a byte beside it."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest
import yaml

from config.errors import ConfigError
from config.feeds import Defaults, load_feeds
from config.feeds_edit import EditError, add, edit_file, remove, row, scalar, set_enabled, usable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FLOW = """# The list.
defaults: {interval: 15m}   # of all

feeds:
  # Broadcasters
  - {id: a, title: "A: one", url: "https://a.example/rss"}  # the first
  - {id: b, url: 'https://b.example/rss', language: en}

  # Papers
  - { id: c,   url: https://c.example/rss, enabled: false }   # why
# the end
"""
BLOCK = """feeds:
- id: a
  url: https://a.example/rss  # here

# about b
- id: b   # short
  title: >-
    Two
    words
  url: https://b.example/rss

- url: https://c.example/rss
  id: c
  enabled: no
"""
ROW = "feeds: [{id: a, url: https://a.example/rss}, {id: b, url: https://b.example/rss}, {id: c, url: https://c.example/rss}]\n"
FORMS = {"flow": FLOW, "block": BLOCK, "row": ROW, "crlf": FLOW.replace("\n", "\r\n"), "no-end": FLOW.rstrip("\n")}
NEW = {"id": "new", "title": "New: it's “#1”", "url": "https://new.example/rss?a=1&b={x}#c", "interval": "10m"}


def lines_of(text: str) -> list[str]:
    """Lines with their ends."""
    return text.splitlines(keepends=True)


def loaded(folder: Path, text: str) -> dict[str, object]:
    """What the loader makes of a text."""
    path = folder / "feeds.yaml"
    path.write_bytes(text.encode())
    return {feed.id: feed for feed in load_feeds(path)}


@pytest.mark.parametrize("name", FORMS)
def test_add(tmp_path: Path, name: str):
    """A feed is added at the end; every line that was there is there, whatever the title and the address hold."""
    before = FORMS[name]
    after = add(before, [NEW, {"id": "more", "url": "https://more.example/"}])
    feeds = loaded(tmp_path, after)
    assert list(feeds) == ["a", "b", "c", "new", "more"]
    assert (feeds["new"].title, feeds["new"].url) == (NEW["title"], NEW["url"])  # type: ignore[attr-defined]
    assert loaded(tmp_path, before).items() <= feeds.items()
    if name != "row":
        assert [line.strip() for line in after.splitlines() if "new" not in line and "more" not in line] == [
            line.strip() for line in before.splitlines()
        ]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("feed", ["a", "b", "c"])
def test_remove(tmp_path: Path, name: str, feed: str):
    """The item's own lines go; comments above other items stay, also the one that follows it."""
    before = FORMS[name]
    after = remove(before, feed)
    assert loaded(tmp_path, after) == {key: each for key, each in loaded(tmp_path, before).items() if key != feed}
    if name in {"flow", "crlf"}:
        mark = {"a": "id: a", "b": "id: b", "c": "id: c"}[feed]
        assert lines_of(after) == [line for line in lines_of(before) if mark not in line]
    if name == "block":
        assert "# about b" in after


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("feed", ["a", "b", "c"])
def test_pause_and_resume(tmp_path: Path, name: str, feed: str):
    """Only that feed changes; a value that stands there is replaced, and the comment beside it stays."""
    before = FORMS[name]
    paused = set_enabled(before, feed, enabled=False)
    feeds = loaded(tmp_path, paused)
    assert not feeds[feed].enabled  # type: ignore[attr-defined]
    assert {key: each for key, each in loaded(tmp_path, before).items() if key != feed}.items() <= feeds.items()
    resumed = set_enabled(paused, feed, enabled=True)
    assert loaded(tmp_path, resumed)[feed].enabled  # type: ignore[attr-defined]
    assert (
        sorted(part for part in before.split("#")[1:]) == sorted(part for part in resumed.split("#")[1:])
        or name != "row"
    )


@pytest.mark.parametrize(
    "text", ["", "feeds: []\n", "# nothing yet\nfeeds: []   # later\n", "defaults: {interval: 1h}", "feeds:\n  []\n"]
)
def test_add_to_an_empty_list(tmp_path: Path, text: str):
    """A list that is empty, or not there, gets its first item; comments stay."""
    after = add(text, [NEW])
    assert list(loaded(tmp_path, after)) == ["new"]
    assert all(line.strip() in after for line in text.splitlines() if line.startswith("#"))


@pytest.mark.parametrize("text", [FLOW, BLOCK, ROW])
def test_all_go_and_one_comes_back(tmp_path: Path, text: str):
    """A list can be emptied, and filled again."""
    for feed in ("a", "b", "c"):
        text = remove(text, feed)
    assert loaded(tmp_path, text) == {}
    assert list(loaded(tmp_path, add(text, [NEW]))) == ["new"]


@pytest.mark.parametrize(
    "value",
    [
        "plain", "yes", "12", "1e3", "null", "~", "a: b", "a #b", "it's", '"', "{x}", "[x]", "a,b", "- a", "*a", "&a",
        "!a", "%a", "@a", "`a", "|", "> a", "? a", "é", "日本語", "a\\b", "emoji 😀", "2026-11-02", "12:30:45", "0x1f",
        " blank ", "=", "<<", "true", "x" * 3000, "tab\there", "a" + "\u2028" + "b", "https://x.example/?a=1&b=2",
        ".inf", "1_000", "True", "false", "FALSE", "Null", "off", "1", "1e5", "1.5",
        "2026-11-02T10:00:00Z", "1.2.3h",
    ],
)  # fmt: skip
def test_any_title_is_quoted_as_it_needs(value: str):
    """What is written is read as the same text, as an id, too: a word of YAML's own would be no text."""
    read = yaml.safe_load(f"[{row({'id': value, 'title': value, 'enabled': 'false'})}]")[0]
    assert read == {"id": value, "title": value, "enabled": False}
    assert "\n" not in scalar(value)


BLOCKS = """feeds:
- id: a
  url: https://a.example/rss
  title: |
    One

# about b
- id: b
  url: https://b.example/rss
  title: >-
    Two
    words


  # about c
- id: c
  url: https://c.example/rss
  title: |+
    Three

# the end
"""
LINES = """feeds: [  # all
  {id: a, url: https://a.example/rss},  # first
  # about b
  {id: b,  # short
   url: https://b.example/rss},  # second
  {id: c, url: https://c.example/rss},  # third
  # more to come
]  # end
"""
LEADING = """feeds: [
    # about a
    {id: a, url: https://a.example/rss}  # first
  , {id: b, url: https://b.example/rss}  # second
  , {id: c, url: https://c.example/rss}  # third
]
"""
TIGHT = """feeds: [{id: a, url: https://a.example/rss},  # first
  {id: b, url: https://b.example/rss},  # second
  {id: c, url: https://c.example/rss}]  # third
"""
PAIRS = """feeds: [
  {id: a, url: https://a.example/rss}, {id: b, url: https://b.example/rss},  # two
  {id: c, url: https://c.example/rss}  # one
]
"""
FOUR = {"id": "four", "url": "https://d.example/rss"}
ADDED = '{id: four, url: "https://d.example/rss"}'


def without(text: str, *lines: int) -> str:
    """``text`` without these lines, of which the first is 0."""
    return "".join(line for at, line in enumerate(lines_of(text)) if at not in lines)


def with_line(text: str, at: int, line: str) -> str:
    """``text`` with one line more, before the one that is at that place."""
    lines = lines_of(text)
    return "".join([*lines[:at], f"{line}\n", *lines[at:]])


@pytest.mark.parametrize("crlf", [False, True])
@pytest.mark.parametrize(
    ("before", "feed", "after"),
    [
        (BLOCKS, "a", without(BLOCKS, 1, 2, 3, 4)),
        (BLOCKS, "b", without(BLOCKS, 7, 8, 9, 10, 11)),
        (BLOCKS, "c", without(BLOCKS, 15, 16, 17, 18, 19)),
        (LINES, "a", without(LINES, 1)),
        (LINES, "b", without(LINES, 3, 4)),
        (LINES, "c", without(LINES, 5)),
        (LEADING, "b", without(LEADING, 3)),
        (LEADING, "c", without(LEADING, 4)),
        (TIGHT, "a", "feeds: [\n" + without(TIGHT, 0)),
        (TIGHT, "b", without(TIGHT, 1)),
        (TIGHT, "c", without(TIGHT, 2) + "  ]  # third\n"),
        (PAIRS, "a", PAIRS.replace("{id: a, url: https://a.example/rss}, ", "")),
        (PAIRS, "b", PAIRS.replace(", {id: b, url: https://b.example/rss}", "")),
        (PAIRS, "c", without(PAIRS, 2)),
    ],
)
def test_remove_leaves_the_comments_of_others(tmp_path: Path, before: str, feed: str, after: str, crlf: bool):
    """Behind a text of several lines, and in brackets over several lines: what goes is the item's own lines."""
    if crlf:
        before, after = before.replace("\n", "\r\n"), after.replace("\n", "\r\n")
    assert remove(before, feed) == after
    assert loaded(tmp_path, after) == {key: each for key, each in loaded(tmp_path, before).items() if key != feed}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BLOCKS, with_line(BLOCKS, 20, f"- {ADDED}")),
        (BLOCKS.replace("|+", "|"), with_line(BLOCKS.replace("|+", "|"), 19, f"- {ADDED}")),
        (LINES, with_line(LINES, 6, f"  {ADDED},")),
        (LEADING, with_line(LEADING, 5, f"  {ADDED}").replace("c.example/rss}  #", "c.example/rss},  #")),
        (TIGHT, TIGHT.replace("]", f", {ADDED}]")),
        (PAIRS, with_line(PAIRS, 3, f"  {ADDED}").replace("c.example/rss}  #", "c.example/rss},  #")),
        ("feeds: [  # all\n  # more to come\n]\n", f"feeds: [  # all\n  # more to come\n  {ADDED},\n]\n"),
    ],
)
def test_add_leaves_comments_where_they_are(tmp_path: Path, before: str, after: str):
    """The new item stands behind the last one and its comment, and above what comes next."""
    assert add(before, [FOUR]) == after
    feeds = loaded(tmp_path, after)
    assert loaded(tmp_path, before).items() <= feeds.items()
    assert list(feeds)[-1] == "four"
    assert list(loaded(tmp_path, add(before, [FOUR, NEW])))[-2:] == ["four", "new"]


@pytest.mark.parametrize(
    ("feed", "at"),
    [("a", 5), ("b", 12), ("c", 20)],
)
def test_pause_behind_a_text_of_several_lines(tmp_path: Path, feed: str, at: int):
    """The word stands within its item: above blank lines and the next one's comment; a blank that is kept stays."""
    after = set_enabled(BLOCKS, feed, enabled=False)
    assert after == with_line(BLOCKS, at, "  enabled: false")
    paused = {key for key, each in loaded(tmp_path, after).items() if not each.enabled}  # type: ignore[attr-defined]
    assert paused == {feed}


def test_all_lines_go_and_one_comes_back(tmp_path: Path):
    """In brackets over several lines, comments stay also where no item does."""
    text = LINES
    for feed in ("b", "c", "a"):
        text = remove(text, feed)
    assert text == without(LINES, 1, 3, 4, 5)
    assert list(loaded(tmp_path, add(text, [NEW]))) == ["new"]


@pytest.mark.parametrize(
    ("text", "feed"),
    [(LEADING, "a"), (LEADING.replace("  , {id: c", "    {id: c").replace("# second", ", # second"), "b")],
)
def test_what_can_not_be_cut_is_left_to_its_writer(tmp_path: Path, text: str, feed: str):
    """Where a comma would go that another item needs, the list stays as it is, and it is said."""
    path = tmp_path / "feeds.yaml"
    path.write_text(text)
    with pytest.raises(EditError, match="edited by hand"):
        edit_file(path, lambda before: remove(before, feed), lambda all_: {k: v for k, v in all_.items() if k != feed})
    assert path.read_text() == text


def test_edits_of_what_is_not_there(tmp_path: Path):
    """A feed of another name is no feed; the file stays as it is."""
    path = tmp_path / "feeds.yaml"
    path.write_text(FLOW)
    for edit in (lambda text: remove(text, "z"), lambda text: set_enabled(text, "z", enabled=False)):
        with pytest.raises(EditError, match="z: no feed has this id"):
            edit_file(path, edit)
    assert path.read_text() == FLOW


def test_a_bad_edit_changes_nothing(tmp_path: Path):
    """What the loader refuses never gets into place; the fault names the list, and nothing is left beside it."""
    path = tmp_path / "feeds.yaml"
    path.write_text(FLOW)
    path.chmod(0o640)
    for bad in (
        {"id": "a", "url": "https://z.example/"},
        {"id": "z", "url": "ftp://z"},
        {"id": "z", "url": "https://z.example/", "interval": "1s"},
    ):
        with pytest.raises(ConfigError, match=r"feeds\.yaml:"):
            edit_file(path, lambda text, bad=bad: add(text, [bad]))
    assert path.read_text() == FLOW
    edit_file(path, lambda text: add(text, [NEW]))
    assert (path.stat().st_mode & 0o777, [each.name for each in tmp_path.iterdir()]) == (0o640, ["feeds.yaml"])


def test_an_edit_that_does_something_else_is_dropped(tmp_path: Path):
    """An item that is an alias of another can't be cut out without it: it is left to its writer."""
    path = tmp_path / "feeds.yaml"
    text = "x: 1\n"
    path.write_text(FLOW)
    with pytest.raises(EditError, match="edited by hand"):
        edit_file(path, lambda before: remove(before, "a"), lambda before: before)
    with pytest.raises(ConfigError):
        edit_file(path, lambda _: text)
    assert path.read_text() == FLOW


def test_a_link_to_the_list_stays_a_link(tmp_path: Path):
    """The list itself is replaced, where a link leads to it."""
    real, link = tmp_path / "real.yaml", tmp_path / "feeds.yaml"
    real.write_text(FLOW)
    link.symlink_to(real)
    edit_file(link, lambda text: remove(text, "a"))
    assert link.is_symlink()
    assert [feed.id for feed in load_feeds(real)] == ["b", "c"]


def test_edits_at_once_all_count(tmp_path: Path):
    """Whoever comes second waits, and works on what the first has left."""
    path = tmp_path / "feeds.yaml"
    path.write_text("feeds: []\n")

    def adding(number: int) -> Callable[[], None]:
        new = {"id": f"f{number}", "url": f"https://f{number}.example/"}
        return lambda: edit_file(path, lambda text: add(text, [new]))

    threads = [threading.Thread(target=adding(number)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {feed.id for feed in load_feeds(path)} == {f"f{number}" for number in range(12)}


def test_a_new_list(tmp_path: Path):
    """A list that is not there is made."""
    path = tmp_path / "feeds.yaml"
    edit_file(path, lambda text: add(text, [NEW]))
    assert [feed.id for feed in load_feeds(path)] == ["new"]
    assert os.access(path, os.R_OK)


def test_fields_that_a_list_may_not_hold():
    """From outside comes anything: bad fields are dropped, and what has no address that can be polled is none."""
    good = {"id": "a", "url": "https://a.example/"}
    bad = {"interval": "1s", "language": "xx-yy", "source": "No Domain", "enabled": "False"}
    assert usable({**good, **bad}, Defaults()) == {
        **good,
        "enabled": "false",
    }
    assert usable({**good, "interval": "2h", "language": "de", "drill": "true"}, Defaults()) == {
        **good,
        "interval": "2h",
        "language": "de",
        "drill": "true",
    }
    assert usable({"id": "a", "url": "https://user:pw@a.example/"}, Defaults()) is None
    assert usable({"id": "A B", "url": "https://a.example/"}, Defaults()) is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"min_interval": "3h"}, {}),
        ({"min_interval": "3h", "max_interval": "4h"}, {"min_interval": "3h", "max_interval": "4h"}),
        ({"min_interval": "4h", "max_interval": "3h"}, {"max_interval": "3h"}),
        ({"max_interval": "2m"}, {}),
        ({"interval": "10m", "min_interval": "5m", "max_interval": "1h"}, {"interval": "10m"}),
        ({"drill": "true", "max_interval": "1h"}, {"drill": "true"}),
    ],
)
def test_bounds_that_do_not_fit_the_list(given: dict[str, str], kept: dict[str, str]):
    """A bound that is good by itself, but not beside the list's usual ones or a fixed interval, is left out."""
    good = {"id": "a", "url": "https://a.example/"}
    assert usable({**good, **given}, Defaults()) == {**good, **kept}

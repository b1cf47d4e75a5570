"""Files of articles: portions, resumption, what changes under our hands, and what is no file of articles."""

from __future__ import annotations

import json
import os
import threading
from typing import IO, TYPE_CHECKING, Any

import pytest
from loopback import NETWORKS

from config.errors import ConfigError
from config.feeds import Feed, load_feeds
from config.settings import load_settings
from connectors import files
from connectors.entry import Parsed
from connectors.fetch import Fetched, Fetcher, user_agent
from connectors.files import MAX_FILES
from connectors.formats import Source, parse
from connectors.lines import MAX_LINE
from connectors.outcome import Outcome
from connectors.parsers import Parsers
from connectors.poll import Parts, Poll, Poller
from connectors.store import Store

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.records import Article


def line(number: int, **values: Any) -> str:
    """One article, as a line."""
    given = {
        "published": "2026-11-02T10:00:00Z",
        "title": f"Story {number}",
        "url": f"https://a.example/story/{number}",
    }
    return json.dumps({**given, **values}) + "\n"


def lines(count: int, first: int = 1) -> str:
    """Several."""
    return "".join(line(number) for number in range(first, first + count))


class Reader:
    """A feed of a file, read as the poller does."""

    def __init__(self, path: Path) -> None:
        self.url, self.etag = path.as_uri(), ""

    def read(self) -> Fetched:
        """The next portion; what it gave counts as recorded."""
        fetched = files.read(self.url, self.etag)
        if fetched.outcome is Outcome.OK:
            self.etag = fetched.validators.etag
        return fetched

    def parsed(self) -> Parsed:
        """The next portion's entries."""
        fetched = self.read()
        assert fetched.outcome is Outcome.OK, fetched.error
        return parse(fetched.body, files.source(fetched))

    def titles(self) -> list[str]:
        """All that is left to read."""
        found = []
        while (fetched := self.read()).outcome is Outcome.OK:
            found += [entry.title for entry in parse(fetched.body, files.source(fetched)).entries]
        assert fetched.outcome is Outcome.NOT_MODIFIED, fetched.error
        return found


def test_fields_of_a_line(tmp_path: Path):
    """What `brinkwatch replay` reads, an id and a language; a day alone is its noon; anything else is passed over."""
    path = tmp_path / "a.jsonl"
    path.write_text(
        line(1, text="<p> as written\n\nSecond.", source="Wire.example", id=7, language="EN", mood="good")
        + line(2, published="2026-11-02", url=None)
    )
    one, two = Reader(path).parsed().entries
    assert (one.guid, one.url, one.title) == ("7", "https://a.example/story/1", "Story 1")
    assert (one.text, one.source, one.language) == ("<p> as written\nSecond.", "wire.example", "en")
    assert (str(two.published), two.url) == ("2026-11-02 12:00:00+00:00", "")


def test_a_file_is_read_in_portions_and_goes_on_where_it_was(tmp_path: Path):
    """Each read gives at most 2,000 lines; a reader that only has the recorded place reads each line once."""
    path = tmp_path / "archive.jsonl"
    path.write_text(lines(5_000))
    reader, found, more = Reader(path), [], []
    while (fetched := reader.read()).outcome is Outcome.OK:
        found += [entry.title for entry in parse(fetched.body, files.source(fetched)).entries]
        more.append(files.has_more(fetched))
        again = Reader(path)
        again.etag = reader.etag  # what a restart knows
        reader = again
    assert found == [f"Story {number}" for number in range(1, 5_001)]
    assert more == [True, True, False]


def test_a_file_that_grows(tmp_path: Path):
    """What is appended is read, and nothing else; a line that is still being written waits for its end."""
    path = tmp_path / "a.jsonl"
    path.write_text(lines(2))
    reader = Reader(path)
    assert reader.titles() == ["Story 1", "Story 2"]
    with path.open("a") as file:
        file.write(line(3)[:30])
    assert reader.titles() == []
    with path.open("a") as file:
        file.write(line(3)[30:] + line(4).rstrip("\n"))
    assert reader.titles() == ["Story 3", "Story 4"]
    with path.open("a") as file:
        file.write("\nnonsense\n" + line(6))
    parsed = reader.parsed()
    assert [entry.title for entry in parsed.entries] == ["Story 6"]
    assert parsed.warnings[0].startswith("line 5: ")


def test_a_file_that_was_written_anew(tmp_path: Path):
    """Another inode, fewer bytes, other bytes of the same length, or others before the place: all is read."""
    path = tmp_path / "a.jsonl"
    path.write_text(lines(3))
    reader = Reader(path)
    assert len(reader.titles()) == 3
    other = tmp_path / "b.jsonl"
    other.write_text(lines(4, first=4))
    other.rename(path)
    assert reader.titles()[0] == "Story 4"
    path.write_text(lines(1, first=8))
    assert reader.titles() == ["Story 8"]
    path.write_text(lines(1, first=9))
    os.utime(path, ns=(1, 1))
    assert reader.titles() == ["Story 9"]
    path.write_text(lines(5, first=1))
    assert len(reader.titles()) == 5


def test_a_folder_is_read_in_order_of_names(tmp_path: Path):
    """File after file; hidden ones, links and folders in it are none of it; a new or longer one is read."""
    (tmp_path / "2026-02.jsonl").write_text(lines(2, first=3))
    (tmp_path / "2026-01.jsonl").write_text(lines(2))
    (tmp_path / ".being-copied").write_text(lines(1, first=99))
    (tmp_path / "older").mkdir()
    (tmp_path / "link.jsonl").symlink_to("/etc/passwd")
    reader = Reader(tmp_path)
    assert reader.titles() == [f"Story {number}" for number in (1, 2, 3, 4)]
    (tmp_path / "2025-12.jsonl").write_text(lines(1, first=5))
    with (tmp_path / "2026-01.jsonl").open("a") as file:
        file.write(line(6))
    assert reader.titles() == ["Story 5", "Story 6"]


def test_bad_lines_cost_only_themselves(tmp_path: Path):
    """Each is a warning with its number, in whichever portion it stands; the rest is read."""
    path = tmp_path / "a.jsonl"
    bad = [
        b"nonsense",
        b"[]",
        b'{"title": 7}',
        b'{"title": " "}',
        b'{"title": "T", "published": "soon"}',
        b"\xff\xfe\0",
    ]
    path.write_bytes(lines(2_100).encode() + b"\n".join(bad) + b"\n\n" + line(9_999).encode())
    reader = Reader(path)
    assert reader.parsed().warnings == ()
    parsed = reader.parsed()
    assert parsed.entries[-1].title == "Story 9999"
    assert [warning.partition(":")[0] for warning in parsed.warnings[:5]] == [f"line {n}" for n in range(2_101, 2_106)]
    assert parsed.warnings[5:] == ("1 more bad line",)


def test_a_line_without_end_is_skipped(tmp_path: Path):
    """A line over the limit is told with its number and passed over in pieces; the ones around it are read."""
    path = tmp_path / "a.jsonl"
    path.write_text(line(1) + line(2, text="ä" * (4 * MAX_LINE)) + line(3) + "oops\n")
    reader, found, warnings = Reader(path), [], []
    while (fetched := reader.read()).outcome is Outcome.OK:
        assert len(fetched.body) < 3 * MAX_LINE
        parsed = parse(fetched.body, files.source(fetched))
        found += [entry.title for entry in parsed.entries]
        warnings += parsed.warnings
    assert found == ["Story 1", "Story 3"]
    assert warnings[0] == f"line 2: longer than {MAX_LINE} bytes"
    assert [warning.partition(":")[0] for warning in warnings] == ["line 2", "line 4"]


def test_what_is_no_file_of_articles(tmp_path: Path):
    """Each has a label and says why; a pipe is not waited for."""
    assert files.read((tmp_path / "none").as_uri(), "").outcome is Outcome.NOT_FOUND
    os.mkfifo(tmp_path / "pipe")
    assert files.read((tmp_path / "pipe").as_uri(), "").error.endswith("no regular file")
    xml = tmp_path / "feed.xml"
    xml.write_text("<rss version='2.0'/>\n")
    assert Reader(xml).parsed().outcome is Outcome.NOT_A_FEED
    crowd = tmp_path / "crowd"
    crowd.mkdir()
    for number in range(MAX_FILES + 1):
        (crowd / str(number)).touch()
    assert files.read(crowd.as_uri(), "").outcome is Outcome.TOO_LARGE
    empty = tmp_path / "empty.jsonl"
    empty.touch()
    assert Reader(empty).titles() == []


@pytest.mark.parametrize("etag", ['"w/1"', "{", '{"files": 7}', '{"files": {".": ["x"]}}', "\ud800"])
def test_a_place_that_can_not_be_read(tmp_path: Path, etag: str):
    """The ETag of a server, whose feed had the same id before, is no place: the file is read from its begin."""
    path = tmp_path / "a.jsonl"
    path.write_text(lines(2))
    assert len(parse(files.read(path.as_uri(), etag).body, files.source(files.read(path.as_uri(), etag))).entries) == 2


@pytest.mark.parametrize(
    "url",
    ["file:relative.jsonl", "file://host/a", "file:///a/../b", "file:///a?x", "file:///a#b", "file:///a%00b", "file:"],
)
def test_addresses_of_files_in_the_list(tmp_path: Path, url: str):
    """Only an absolute path names a file."""
    path = tmp_path / "feeds.yaml"
    path.write_text(f'feeds: [{{id: a, url: "{url}"}}]\n')
    with pytest.raises(ConfigError, match="a file's URL with an absolute path"):
        load_feeds(path)


class Taken:
    """A delivery that takes everything."""

    def __init__(self) -> None:
        self.articles: list[Article] = []

    async def send(self, articles: list[Article], _: object = None) -> None:
        """Keep them."""
        self.articles += articles


async def test_polls_follow_each_other_while_there_is_more(tmp_path: Path):
    """A poller that is started anew before each poll sends each line once, and is due at once until it is through."""
    path = tmp_path / "archive.jsonl"
    path.write_text(lines(4_500) + "nonsense\n")
    feed, settings, taken = Feed("archive", path.as_uri()), load_settings(), Taken()
    polls: list[Poll] = []
    waits: list[float] = []
    async with Parsers() as sandbox, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
        for _ in range(4):
            with Store(tmp_path / "state") as store:
                poller = Poller(settings, Parts(fetcher, sandbox, taken, store))  # type: ignore[arg-type]  # as above
                polls.append(await poller.poll(feed))
                state = poller.state(feed)
                assert state is not None
                assert state.next_due is not None
                waits.append(state.next_due - state.polled_at)
    assert [poll.outcome for poll in polls] == [Outcome.OK] * 3 + [Outcome.NOT_MODIFIED]
    assert [article.title for article in taken.articles] == [f"Story {number}" for number in range(1, 4_501)]
    assert (waits[:2], waits[2] > 0) == ([0.0, 0.0], True)
    assert polls[2].detail.startswith("line 4501: ")


def test_a_file_that_can_not_be_read_costs_only_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Files behind it are read, the next poll does not come at once for its sake, and it is read once it can be."""
    for number, name in enumerate(("a", "b", "c"), 1):
        (tmp_path / name).write_text(lines(1, number))
    (tmp_path / os.fsdecode(b"b\xff")).write_text(lines(1, 9))
    opened, locked = files._open, True

    def refusing(path: Path) -> IO[bytes]:
        if path.name == "b" and locked:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(files, "_open", refusing)
    reader = Reader(tmp_path)
    first, second, third = reader.read(), reader.read(), reader.read()
    assert [files.has_more(each) for each in (first, second)] == [True, False]
    assert [each.body.count(b"Story") for each in (first, second)] == [1, 1]
    assert third.outcome is Outcome.NOT_MODIFIED
    assert second.error == third.error == "not read: b: Permission denied; b\ufffd: its name is no UTF-8"
    locked = False
    assert reader.titles() == ["Story 2"]


def test_a_folder_of_which_nothing_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """That is a failure, as of a single file."""
    (tmp_path / "a").write_text(lines(1))

    def refusing(path: Path) -> IO[bytes]:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(files, "_open", refusing)
    assert files.read(tmp_path.as_uri(), "").outcome is Outcome.REFUSED


class Fragile(Parsers):
    """A parser that ends at what it can't bear; while ``down`` it ends at everything."""

    down = False

    async def parse(self, body: bytes, source: Source) -> Parsed:
        """What stands in ``body``, if it can be borne."""
        if self.down or b"poison" in body:
            return Parsed(outcome=Outcome.PARSE_FAILED, error="parsing took more than 20 s")
        return parse(body, source)


async def test_a_line_that_no_parser_survives_costs_only_itself(tmp_path: Path):
    """The portion is read again in smaller ones, at once; the line is named, and all others arrive once."""
    path = tmp_path / "archive.jsonl"
    path.write_text(lines(1_500) + line(1_501, text="poison") + lines(1_000, first=1_502) + line(2_502, text="poison"))
    feed, settings, taken = Feed("archive", path.as_uri()), load_settings(), Taken()
    polls: list[Poll] = []
    async with Fragile() as sandbox, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
        while not polls or polls[-1].outcome is not Outcome.NOT_MODIFIED:
            with Store(tmp_path / "state") as store:
                poller = Poller(settings, Parts(fetcher, sandbox, taken, store))  # type: ignore[arg-type]  # as above
                polls.append(await poller.poll(feed))
                state = poller.state(feed)
                assert state is not None
                due_at_once = state.next_due == state.polled_at
            assert due_at_once or polls[-1].outcome is Outcome.NOT_MODIFIED or len(taken.articles) == 2_500
            assert len(polls) < 60
    wanted = [f"Story {number}" for number in range(1, 2_502) if number != 1_501]
    assert [article.title for article in taken.articles] == wanted
    told = [poll.detail for poll in polls if "passed over" in poll.detail]
    assert told == [f"line {number}: passed over: parsing took more than 20 s" for number in (1_501, 2_502)]


async def test_a_parser_that_is_down_costs_no_line(tmp_path: Path):
    """Where not even a sound line can be parsed, nothing is passed over, and the poll backs off until it can."""
    path = tmp_path / "archive.jsonl"
    path.write_text(lines(20))
    feed, taken = Feed("archive", path.as_uri()), Taken()
    async with Fragile() as sandbox, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
        with Store(tmp_path / "state") as store:
            poller = Poller(load_settings(), Parts(fetcher, sandbox, taken, store))  # type: ignore[arg-type]  # as above
            sandbox.down = True
            polls = [await poller.poll(feed) for _ in range(6)]
            state = poller.state(feed)
            assert state is not None
            assert state.next_due is not None
            assert state.next_due > state.polled_at
            sandbox.down = False
            polls += [await poller.poll(feed) for _ in range(4)]
    assert [poll.outcome for poll in polls[:6]] == [Outcome.PARSE_FAILED] * 6
    assert not any("passed over" in poll.detail for poll in polls)
    assert len(taken.articles) == 20


async def test_what_was_passed_over_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """The log warns which file was not read, beside what was read, and not again at every poll."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "b").write_text(lines(1))
    (folder / os.fsdecode(b"a\xff")).write_text(lines(1))
    feed, taken = Feed("archive", folder.as_uri()), Taken()
    async with Parsers() as sandbox, Fetcher(user_agent(), allowed=NETWORKS) as fetcher:
        with Store(tmp_path / "state") as store:
            poller = Poller(load_settings(), Parts(fetcher, sandbox, taken, store))  # type: ignore[arg-type]  # as above
            with caplog.at_level("WARNING"):
                polls = [await poller.poll(feed) for _ in range(3)]
    assert [poll.outcome for poll in polls] == [Outcome.OK, Outcome.NOT_MODIFIED, Outcome.NOT_MODIFIED]
    assert len(taken.articles) == 1
    assert caplog.text.count("not read: a\ufffd: its name is no UTF-8") == 1


async def test_a_disk_that_never_answers_holds_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """However often it is polled; another feed's file is read meanwhile."""
    answer, real = threading.Event(), files._names
    monkeypatch.setattr(files, "READ_S", 0.05)

    def names(path: Path) -> list[str]:
        if path.name == "stuck":
            answer.wait(20)
        return real(path)

    monkeypatch.setattr(files, "_names", names)
    for name in ("stuck", "good"):
        (tmp_path / name).write_text(lines(1))
    before = threading.active_count()
    for _ in range(10):
        assert (await files.fetch((tmp_path / "stuck").as_uri())).outcome is Outcome.TIMEOUT
    assert threading.active_count() <= before + 1
    monkeypatch.setattr(files, "READ_S", 20.0)
    assert (await files.fetch((tmp_path / "good").as_uri())).outcome is Outcome.OK
    answer.set()


async def test_a_disk_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A poll of it ends with a label, and another begins where it was."""
    path = tmp_path / "a.jsonl"
    path.write_text(lines(2))
    answer = threading.Event()
    monkeypatch.setattr(files, "READ_S", 0.1)
    monkeypatch.setattr(files, "_names", lambda _: answer.wait(10) and ["."])
    assert (await files.fetch(path.as_uri())).outcome is Outcome.TIMEOUT
    answer.set()
    assert (await files.fetch(path.as_uri())).outcome is Outcome.OK

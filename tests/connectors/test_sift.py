"""New, updated, seen: what is sent and what is stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from config.feeds import Feed
from connectors.entry import MAX_ENTRIES, Entry
from connectors.metrics import Handling
from connectors.plaintext import MAX_TEXT
from connectors.recognition import identify, repeated
from connectors.sift import QUICK_REVISIONS, Reading, Sifted, sift
from pipeline.records import encode
from pipeline.records.codec import MAX_BYTES

if TYPE_CHECKING:
    from connectors.store import Seen

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
ONE, OTHER = (Feed(name, f"https://{name}.example/rss") for name in ("one", "other"))


class Memory:
    """A store of seen articles."""

    def __init__(self) -> None:
        self.rows: dict[str, Seen] = {}

    def poll(self, feed: Feed, *entries: Entry, at: datetime = NOW) -> Sifted:
        """Sift and store."""
        identified = identify(feed, entries)
        sifted = sift(Reading(feed, at, len(entries)), identified, self.rows)
        self.rows.update({row.article_id: row for row in sifted.seen})
        return sifted


def entry(number: int = 1, title: str = "Title", **values: str) -> Entry:
    """An entry with an address of its own."""
    return Entry(**{"guid": str(number), "url": f"https://e.example/{number}", "title": title, "text": "t", **values})


def counts(sifted: Sifted) -> dict[str, int]:
    """How many met which end."""
    return {handling.value: number for handling, number in sifted.handled.items() if number}


def test_new_then_seen_then_updated():
    """An entry is sent once, and again when its words change."""
    memory = Memory()
    assert counts(memory.poll(ONE, entry(1), entry(2))) == {"new": 2}
    assert counts(memory.poll(ONE, entry(1), entry(2))) == {"seen": 2}
    changed = memory.poll(ONE, entry(1, "Changed"), entry(2))
    assert counts(changed) == {"updated": 1, "seen": 1}
    assert [article.title for article in changed.articles] == ["Changed"]
    assert counts(memory.poll(ONE, entry(1, "Changed"))) == {"seen": 1}


def test_two_feeds_with_one_article_do_not_update_each_other():
    """The same address with other words in another feed is known, and stays known: no endless to and fro."""
    memory = Memory()
    memory.poll(ONE, entry(1, "As one has it"))
    for _ in range(3):
        assert counts(memory.poll(OTHER, entry(1, "As the other has it"))) == {"seen": 1}
        assert counts(memory.poll(ONE, entry(1, "As one has it"))) == {"seen": 1}


def test_entries_that_share_an_identity_do_not_update_each_other():
    """A live blog links all its posts to one page: the first counts, the rest are repeats."""
    memory = Memory()
    posts = [entry(1, "Latest", url="https://e.example/live#2"), entry(2, "Before", url="https://e.example/live#1")]
    assert counts(memory.poll(ONE, *posts)) == {"new": 1, "repeated": 1}
    assert counts(memory.poll(ONE, *posts)) == {"seen": 1, "repeated": 1}


def sent(memory: Memory, days: int, minutes: int = 15) -> list[datetime]:
    """When an article whose words are others at every poll was sent."""
    polls = [NOW + timedelta(minutes=minutes) * n for n in range(days * 24 * 60 // minutes)]
    return [at for at in polls if memory.poll(ONE, entry(1, f"As of {at}"), at=at).articles]


def test_a_live_page_is_sent_for_as_long_as_it_changes():
    """A page that is edited all day is sent at every change at first, then ever more rarely, but never not at all."""
    times = sent(Memory(), days=20)
    assert times[: QUICK_REVISIONS + 1] == [NOW + timedelta(minutes=15) * n for n in range(QUICK_REVISIONS + 1)]
    pauses = [later - sooner for sooner, later in pairwise(times)][QUICK_REVISIONS:]
    assert pauses[:20] == [timedelta(hours=1)] * 20
    assert pauses == sorted(pauses)
    assert max(pauses) == timedelta(hours=12)


def test_a_feed_that_changes_its_words_at_every_poll_is_slowed_down():
    """A counter in the text must not send an article a hundred times a day for ever."""
    times = sent(Memory(), days=40)
    assert len([at for at in times if at >= NOW + timedelta(days=30)]) <= 20


def test_a_clock_that_is_set_back_holds_no_update_up():
    """What was written down in what is the future by now says nothing of how long ago it was."""
    for edits in (1, QUICK_REVISIONS + 10):
        memory = Memory()
        for number in range(edits):
            memory.poll(ONE, entry(1, f"As of {number}"), at=NOW + timedelta(hours=number))
        assert counts(memory.poll(ONE, entry(1, "Now"), at=NOW - timedelta(days=1))) == {"updated": 1}


def test_what_is_held_is_counted_and_sent_later():
    """The last wording of a live page comes, too, and its other feeds put it off no further."""
    memory = Memory()
    last = sent(memory, days=1)[-1]
    held = memory.poll(ONE, entry(1, "Last"), at=last + timedelta(minutes=15))
    assert (counts(held), held.articles, held.seen) == ({"held": 1}, (), ())
    memory.poll(OTHER, entry(1, "Last"), at=last + timedelta(hours=11))
    (article,) = memory.poll(ONE, entry(1, "Last"), at=last + timedelta(hours=24)).articles
    assert article.title == "Last"


def test_what_is_still_shown_is_touched_once_a_day():
    """The state is not written at every poll, and does not forget what a feed still shows."""
    memory = Memory()
    memory.poll(ONE, entry(1))
    assert memory.poll(ONE, entry(1), at=NOW + timedelta(hours=23)).seen == ()
    (row,) = memory.poll(ONE, entry(1), at=NOW + timedelta(hours=25)).seen
    assert row.shown_at == (NOW + timedelta(hours=25)).timestamp()


def test_the_largest_article_fits_a_message():
    """The bound on text is such that no script and no quoting makes a message that readers refuse."""
    for character in ("a", '"', "\\", "€", "\U0001f600"):
        sifted = Memory().poll(ONE, entry(1, text=character * MAX_TEXT))
        assert counts(sifted) == {"new": 1}
        assert len(encode(sifted.articles[0])) < MAX_BYTES


def test_what_does_not_fit_is_counted_and_remembered():
    """An article that is too large for a message is not tried again at every poll."""
    memory = Memory()
    assert counts(memory.poll(ONE, entry(1, text="x" * MAX_BYTES))) == {Handling.TOO_LARGE.value: 1}
    assert counts(memory.poll(ONE, entry(1, text="x" * MAX_BYTES))) == {"seen": 1}


def test_a_whole_feed_without_addresses():
    """Entries are told by guid where they have no address, and by title where they have no guid."""
    memory = Memory()
    entries = [entry(n, f"T{n}", url="", guid="" if n % 2 else str(n)) for n in range(MAX_ENTRIES // 10)]
    assert counts(memory.poll(ONE, *entries)) == {"new": MAX_ENTRIES // 10}
    assert counts(memory.poll(ONE, *entries)) == {"seen": MAX_ENTRIES // 10}


def test_entries_that_have_but_a_text():
    """Without address, guid and title, the text tells one from another."""
    bare = [entry(url="", guid="", title="", text=f"What happened at {n}.") for n in range(3)]
    assert counts(Memory().poll(ONE, *bare)) == {"new": 3}


def test_what_is_left_out_is_said():
    """Whoever looks at a feed sees that fewer articles come of it than it has entries, and why."""
    one, twice = [entry(1), entry(2)], [entry(1), entry(2), entry(1), entry(2)]
    assert repeated(2, identify(ONE, one)) == ""
    assert repeated(4, identify(ONE, twice)).startswith("2 entries left out")

"""Recognition: an article goes out once, whatever changes about it, and two articles never become one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec import structs

from config.feeds import Feed
from connectors.entry import Entry
from connectors.outcome import Outcome
from connectors.recognition import Memory, all_marks, elsewhere_mark, identify, ids, unfamiliar
from connectors.sift import Reading, Sifted, sift
from connectors.store import FeedState, Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
TOLD = datetime(2026, 11, 2, 9, 14, 31, tzinfo=UTC)
FEED, OTHER = Feed("one", "https://one.example/rss"), Feed("two", "https://two.example/rss")
LONG = "The ministry said on Monday that two brigades had left their barracks and would reach the river by night."
GUID = "https://one.example/?p=4711"


class Line:
    """A feed polled again and again against a real store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.at = NOW

    def poll(self, *entries: Entry, feed: Feed = FEED) -> Sifted:
        """One poll, ten minutes after the last."""
        self.at += timedelta(minutes=10)
        aliases = self.store.aliases(feed.id, all_marks(entries))
        known = self.store.seen(ids(feed, entries, aliases))
        memory = Memory(aliases, known)
        identified = identify(feed, entries, memory)
        others = self.store.aliases(feed.id, [elsewhere_mark(name) for name in unfamiliar(feed, identified, memory)])
        sifted = sift(Reading(feed, self.at, len(entries)), identified, known, {**aliases, **others})
        state = FeedState(feed.id, feed.url, Outcome.OK, read_at=self.at.timestamp(), next_due=0.0)
        self.store.record(state, sifted.seen, sifted.aliases)
        return sifted


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """A store of the test's own."""
    with Store(tmp_path) as store:
        yield Line(store)


def entry(slug: str = "a-b-c", title: str = "Brigades leave barracks", **values: object) -> Entry:
    """An entry that says everything."""
    given = {"guid": GUID, "url": f"https://one.example/{slug}", "title": title, "text": LONG, "published": TOLD}
    return Entry(**{**given, **values})  # type: ignore[arg-type]


def counts(sifted: Sifted) -> dict[str, int]:
    """How many met which end."""
    return {handling.value: number for handling, number in sifted.handled.items() if number}


@pytest.mark.parametrize(
    "after",
    [
        entry("new-slug", "Two brigades leave barracks"),
        entry("new-slug", "Quite other words", text="Another text altogether."),
        entry("new-slug", "Two brigades leave barracks", published=None),
        entry("new-slug", "Two brigades leave barracks", published=TOLD.replace(hour=0, minute=0, second=0)),
        entry("new-slug", published=TOLD + timedelta(hours=1), text=f"{LONG} {LONG}"),
    ],
)
def test_a_slug_that_follows_its_title_is_an_update(line: Line, after: Entry):
    """The same guid under another address goes out under the same article id, once; with the new address."""
    before = entry(text=f"{LONG} {LONG}") if after.text == f"{LONG} {LONG}" else entry()
    (first,) = line.poll(before).articles
    changed = line.poll(after)
    assert [article.article_id for article in changed.articles] in ([first.article_id], [])
    assert counts(changed) in ({"updated": 1}, {"seen": 1})
    assert all(article.url == "https://one.example/new-slug" for article in changed.articles)
    for _ in range(2):
        assert counts(line.poll(after)) == {"seen": 1}


def test_a_slug_that_changes_twice(line: Line):
    """Every further form is the article's too, and going back to the first is no new one."""
    (first,) = line.poll(entry("one-two-three", "First title")).articles
    (second,) = line.poll(entry("four-five-six", "Second title")).articles
    (third,) = line.poll(entry("seven-eight-nine", "Third title")).articles
    (back,) = line.poll(entry("one-two-three", "First title")).articles
    assert {each.article_id for each in (first, second, third, back)} == {first.article_id}


def test_guids_that_are_new_at_every_poll(line: Line):
    """The address tells the article: nothing is repeated, and no rows pile up."""
    assert counts(line.poll(entry(guid="g0"))) == {"new": 1}
    for number in range(1, 20):
        assert counts(line.poll(entry(guid=f"g{number}"))) == {"seen": 1}
    assert len(line.store._run("SELECT * FROM aliases")) == 2


def test_guids_that_are_new_at_every_poll_without_addresses(line: Line):
    """Where there is no address either, the words and the time tell it."""
    assert counts(line.poll(entry(guid="g0", url=""), entry(guid="h0", url="", title="Another"))) == {"new": 2}
    for number in range(1, 5):
        again = [entry(guid=f"g{number}", url=""), entry(guid=f"h{number}", url="", title="Another")]
        assert counts(line.poll(*again)) == {"seen": 2}


def test_an_address_and_a_guid_that_are_new_at_every_poll(line: Line):
    """A token in the address, and a guid made of it: words and the second of publication tell it."""
    assert counts(line.poll(entry("x?token=1", guid="1"))) == {"new": 1}
    assert counts(line.poll(entry("x?token=2", guid="2"))) == {"seen": 1}


def test_an_edited_title_is_all_there_is(line: Line):
    """Of an entry with neither address nor guid, text and time tell it when its title is edited."""
    (first,) = line.poll(entry(url="", guid="", title="Brigade leaves")).articles
    (second,) = line.poll(entry(url="", guid="", title="Two brigades leave")).articles
    assert first.article_id == second.article_id
    assert counts(line.poll(entry(url="", guid="", title="Two brigades leave"))) == {"seen": 1}
    other = entry(
        url="", guid="", title="Two brigades leave", published=TOLD + timedelta(days=1), text=f"Other. {LONG}"
    )
    assert counts(line.poll(other)) in ({"new": 1}, {"updated": 1})


def test_guids_that_count_places(line: Line):
    """Guid 1 is always the latest: a new article above is new, and those that moved down are known."""

    def shown(*names: str) -> list[Entry]:
        return [
            entry(
                f"story-of-{name}", f"Story of {name}", guid=str(place), text=f"What {name} did. {LONG}", published=None
            )
            for place, name in enumerate(names)
        ]

    assert counts(line.poll(*shown("cam", "bea", "ann"))) == {"new": 3}
    moved = line.poll(*shown("dan", "cam", "bea"))
    assert counts(moved) == {"new": 1, "seen": 2}
    assert [article.title for article in moved.articles] == ["Story of dan"]


@pytest.mark.parametrize(
    "after",
    [
        entry("weather-tuesday", "Weather", text="Rain in the north.", published=TOLD + timedelta(days=1)),
        entry("weather-tuesday", "Weather", text="Rain in the north.", published=None),
        entry("weather-tuesday", "Weather of Tuesday", text="Read on.", published=TOLD + timedelta(days=1)),
        entry("weather-tuesday", "Weather of Tuesday", text="Read on.", published=None, guid="1"),
        entry("weather-tuesday", "Weather", text="", published=TOLD + timedelta(days=1)),
    ],
)
def test_one_guid_for_whatever_is_latest(line: Line, after: Entry):
    """A feed of one entry with a constant guid: another address with other words or time is another article."""
    before = entry("weather-monday", "Weather", text="Read on.", guid=after.guid)
    (first,) = line.poll(before).articles
    (second,) = line.poll(after).articles
    assert first.article_id != second.article_id


def test_one_guid_for_every_entry(line: Line):
    """A template that gives each entry the guid of the site: addresses tell them apart, for good."""
    entries = [entry(f"story-number-{number}", f"Story {number}", guid="https://one.example/") for number in range(5)]
    assert counts(line.poll(*entries)) == {"new": 5}
    assert counts(line.poll(*entries)) == {"seen": 5}


def test_one_day_for_every_entry(line: Line):
    """Midnight is a day, and no moment that tells an article: place and day together are still two articles."""
    midnight = TOLD.replace(hour=0, minute=0, second=0)
    line.poll(entry("story-of-ann", "Ann", guid="1", text="Of Ann.", published=midnight))
    assert counts(line.poll(entry("story-of-bea", "Bea", guid="1", text="Of Bea.", published=midnight))) == {"new": 1}


@pytest.mark.parametrize("numbered", ["{}", "item-{}", "https://one.example/rss#{}"])
@pytest.mark.parametrize("text", ["Of {}.", "What the ministry says of {}. " + LONG])
@pytest.mark.parametrize("hour", [22, 23])
def test_guids_that_count_places_on_one_day(line: Line, numbered: str, text: str, hour: int):
    """A day written as local midnight is no moment: what moves down keeps its id, and what drops out hands none on."""
    day = datetime(2026, 11, 1, hour, tzinfo=UTC)
    names = ["port", "budget", "envoy", "sanctions", "border", "exports", "drill"]

    def shown(latest: int) -> list[Entry]:
        return [
            entry(f"press/{name}", f"Statement on {name}", guid=numbered.format(place), text=text.format(name),
                  published=day)
            for place, name in enumerate(reversed(names[latest - 3 : latest + 1]), 1)
        ]  # fmt: skip

    assert counts(line.poll(*shown(3))) == {"new": 4}
    for latest in (4, 5, 6):
        sifted = line.poll(*shown(latest))
        assert counts(sifted) == {"new": 1, "seen": 3}
        assert [article.title for article in sifted.articles] == [f"Statement on {names[latest]}"]


@pytest.mark.parametrize("guid", ["1", "latest-one"])
def test_one_guid_for_whatever_is_latest_on_one_day(line: Line, guid: str):
    """A feed of one entry: day, guid and a title that is a phrase are shared by two articles of a day."""
    day = datetime(2026, 11, 1, 22, tzinfo=UTC)
    (first,) = line.poll(entry("press/port", "Statement", guid=guid, text="Of the port.", published=day)).articles
    (second,) = line.poll(entry("press/envoy", "Statement", guid=guid, text="Of the envoy.", published=day)).articles
    assert first.article_id != second.article_id


def test_what_was_sent_under_its_address_takes_no_other_id(line: Line):
    """Posts that were imported in one second, under guids that count places: the last is not the one that left."""
    posts = [entry(f"story-of-{n}", f"Story {n}", text=f"Of {n}. {LONG}") for n in range(5)]

    def shown(first: int) -> list[Entry]:
        return [structs.replace(posts[n], guid=f"place-{n - first}") for n in range(first, first + 3)]

    assert counts(line.poll(*shown(2))) == {"new": 3}
    line.poll(*shown(1))
    assert counts(line.poll(*shown(0))) == {"new": 1, "seen": 2}
    assert counts(line.poll(*shown(1))) == {"seen": 3}


def test_a_post_that_was_due_on_the_hour(line: Line):
    """Where a feed has finer times, too, one on the hour is a moment: slug, title and text may follow an edit."""
    other = entry("another", "Another", guid="https://one.example/?p=1", published=TOLD + timedelta(minutes=3))
    on_the_hour = TOLD.replace(minute=0, second=0)
    first = line.poll(entry(published=on_the_hour), other).articles[0]
    after = entry("new-slug", "Quite other words", text="Another text.", published=on_the_hour)
    (second,) = line.poll(after, other).articles
    assert second.article_id == first.article_id


def test_a_new_slug_that_is_known_by_now(line: Line):
    """The address that followed the title is the article's for good: edits of the text come under the first id."""
    (first,) = line.poll(entry("old-slug")).articles
    line.poll(entry("new-slug", "Two brigades leave"))
    for text in (f"More. {LONG}", f"Still more. {LONG}"):
        (again,) = line.poll(entry("new-slug", "Two brigades leave", text=text)).articles
        assert again.article_id == first.article_id


def test_a_guid_means_nothing_in_another_feed(line: Line):
    """Two outlets that number their stories from 1 do not update each other."""
    line.poll(entry("story-of-ann", guid="1"))
    assert counts(line.poll(entry("story-of-bea", "Bea", guid="1"), feed=OTHER)) == {"new": 1}


def test_another_feed_with_the_new_slug(line: Line):
    """The section's feed shows the article under the address that it has by now: known."""
    line.poll(entry("old-slug-of-it"))
    line.poll(entry("new-slug-of-it", "Other title"))
    assert counts(line.poll(entry("new-slug-of-it", "Other title", guid="x"), feed=OTHER)) == {"seen": 1}


@pytest.mark.parametrize("published", [TOLD, None])
def test_a_slug_that_changes_in_the_feed_that_came_second(line: Line, published: datetime | None):
    """What another feed brought is known by its guid in this one: an edited title makes no second article."""
    line.poll(entry("old-slug", published=published))
    assert counts(line.poll(entry("old-slug", published=published), feed=OTHER)) == {"seen": 1}
    after = entry("new-slug", "Two brigades leave barracks", published=published)
    for _ in range(2):
        assert counts(line.poll(after, feed=OTHER)) == {"seen": 1}


@pytest.mark.parametrize("published", [TOLD, None])
def test_what_another_feed_brought_is_remembered_once(line: Line, published: datetime | None):
    """A feed with new guids at every poll writes nothing for what another brought, but when it sees it first."""
    line.poll(entry(text="", published=published))
    wrote = [len(line.poll(entry(text="", guid=f"g{n}", published=published), feed=OTHER).aliases) for n in range(4)]
    assert wrote[0] > 0
    assert wrote[1:] == [0, 0, 0]


def test_mobile_then_www(line: Line):
    """A mobile address is the article of the site, on whichever of its hosts another feed has it."""
    line.poll(entry(url="https://m.one.example/a-b-c", guid="m"))
    for host in ("one.example", "www.one.example", "amp.one.example"):
        assert counts(line.poll(entry(url=f"https://{host}/a-b-c", guid=host), feed=OTHER)) == {"seen": 1}


def test_www_then_mobile(line: Line):
    """As it is the other way round."""
    line.poll(entry(url="https://www.one.example/a-b-c", guid="w"))
    assert counts(line.poll(entry(url="https://m.one.example/a-b-c", guid="m"), feed=OTHER)) == {"seen": 1}


def test_a_feed_that_moved(line: Line):
    """Another address of the feed in the list: what it shows is known, with or without addresses."""
    entries = [entry(), entry(url="", guid="no-address", title="Without an address")]
    assert counts(line.poll(*entries)) == {"new": 2}
    moved = Feed(FEED.id, "https://cdn.one.example/new/rss")
    assert counts(line.poll(*entries, feed=moved)) == {"seen": 2}


def test_aliases_go_with_their_articles(line: Line):
    """The state does not remember for ever by what a forgotten article was called."""
    line.poll(entry())
    assert line.store._run("SELECT count(*) FROM aliases") == [(2,)]
    line.store.prune(line.at.timestamp(), most=0)
    assert line.store._run("SELECT count(*) FROM aliases") == [(0,)]


def page(*names: str, **values: object) -> list[Entry]:
    """Posts that all link to one page."""
    return [
        entry("day#" + name, **{"title": f"Post {name}", "guid": name, "text": f"Of {name}. {LONG}",
              "published": TOLD + timedelta(minutes=number), **values})
        for number, name in enumerate(names)
    ]  # fmt: skip


def test_posts_of_one_page(line: Line):
    """A day's posts under one address, each with guid, time and words of its own, are articles, for good."""
    ann, bea, cam = page("ann", "bea", "cam")
    assert counts(line.poll(ann)) == {"new": 1}
    assert counts(line.poll(ann, bea)) == {"new": 1, "seen": 1}
    assert counts(line.poll(ann, bea, cam)) == {"new": 1, "seen": 2}
    for shown in ([bea, cam], [cam], [ann, cam], [cam, bea, ann]):
        assert counts(line.poll(*shown)) == {"seen": len(shown)}


def test_posts_of_one_page_that_come_alone(line: Line):
    """A hub pushes each new post by itself, on a page that a poll has shown to be shared: none updates another."""
    ann, bea, cam, dan, eve = page("ann", "bea", "cam", "dan", "eve")
    assert counts(line.poll(ann, bea)) == {"new": 2}
    for post in (cam, dan, eve):
        assert counts(line.poll(post)) == {"new": 1}
    for post in (ann, dan):
        assert counts(line.poll(post)) == {"seen": 1}
    assert counts(line.poll(eve, dan, cam, bea, ann)) == {"seen": 5}
    edited = structs.replace(dan, title="Edited", text=f"Edited. {LONG}")
    assert counts(line.poll(edited)) == {"updated": 1}


def test_a_post_that_was_the_page_alone(line: Line):
    """The first post of a page came when there was no other; edited beside the second, it is still the same."""
    ann, bea = page("ann", "bea")
    (first,) = line.poll(ann).articles
    edited = structs.replace(ann, title="Edited", text=f"Edited. {LONG}")
    (again, _) = line.poll(edited, bea).articles
    assert again.article_id == first.article_id
    assert counts(line.poll(structs.replace(edited, title="Again"))) == {"updated": 1}


def test_a_shared_page_in_another_feed(line: Line):
    """That a feed's posts share a page says nothing of another feed, whose entry may be the page itself."""
    line.poll(*page("ann", "bea"))
    (first,) = line.poll(*page("cam"), feed=OTHER).articles
    (second,) = line.poll(*page("dan", text=f"As of now. {LONG}"), feed=OTHER).articles
    assert first.article_id == second.article_id


def test_posts_of_one_page_with_new_guids_at_every_poll(line: Line):
    """They are known by their words and times: no flood."""
    assert counts(line.poll(*page("ann", "bea"))) == {"new": 2}
    again = [
        Entry(**{**{f: getattr(e, f) for f in e.__struct_fields__}, "guid": e.guid + "!"}) for e in page("ann", "bea")
    ]
    assert counts(line.poll(*again)) == {"seen": 2}


def test_one_article_twice_in_a_feed(line: Line):
    """Two sections with one article under two guids: it is one, as its address says."""
    twice = [entry(guid="world"), entry(guid="europe", published=TOLD + timedelta(minutes=1))]
    assert counts(line.poll(*twice)) == {"new": 1, "repeated": 1}
    assert counts(line.poll(*twice)) == {"seen": 1, "repeated": 1}

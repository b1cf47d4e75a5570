"""Stories: copies count once, sources add a little, and what is stored stays bounded."""

from __future__ import annotations

import base64
import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from timelines import DYAD, at, brief, play, rules, told, wire

from pipeline.records import EventType, encode
from pipeline.records.minhash import jaccard
from pipeline.scoring.book import Book
from pipeline.scoring.state import MAX_ARTICLES, MAX_EXHIBITS, MAX_IDS, MAX_OUTLETS, MAX_STORIES, DyadState
from pipeline.scoring.stories import article_token, source_factor

TEXT = (
    "Arvia has moved four thousand soldiers and two hundred vehicles to the border with Brenn, officials in both "
    "capitals said on Monday, in what analysts called the largest movement of forces in the region for more than ten "
    "years. The government of Brenn asked for an urgent meeting of the council and said that it would not be provoked."
)


def copies(count: int) -> list[str]:
    """The story as so many outlets edit it: another dateline, another last sentence."""
    return [
        f"{chr(65 + index % 26)}TOWN, May 6 (wire {index}) {TEXT} Outlet {index} adds a line." for index in range(count)
    ]


def only(book: Book) -> DyadState:
    """The state of the one track of the one dyad."""
    return next(iter(book._tracks[DYAD].values()))


def test_forty_copies_are_one_story():
    """A wire story in 40 outlets counts once, times the factor of its sources; the alert says one story, 40 sources."""
    book = Book(rules())
    signals = [
        told(index / 10, f"o{index}", 8, story=wire(text), article_id=f"{index:032x}")
        for index, text in enumerate(copies(40))
    ]
    alerts = play(book, signals, until=5)
    assert len(alerts) == 1
    dyad = book.dyads()[0]
    assert dyad.score < 8 * source_factor(16) * 1.01
    state = only(book)
    assert len(state.stories) == 1
    assert len(state.outlets) == 40
    assert len(dyad.evidence) == 1


def test_different_stories_add_up():
    """Two stories about the same thing that share no wording are two."""
    book = Book(rules())
    other = (
        "Satellite images published by a company show rows of armoured vehicles in a field near the frontier on Sunday"
    )
    play(book, [told(0, "a", 8, story=wire(TEXT)), told(0, "b", 8, story=wire(other))], until=0)
    assert book.dyads()[0].score == pytest.approx(16)


def test_one_article_counts_each_kind_once():
    """Six sentences on one deployment in one article weigh as the heaviest of them; another kind adds its own."""
    book = Book(rules())
    article = {"article_id": "1" * 32, "source": "a.example"}
    signals = [told(0, f"s{index}", 3 + index, **article) for index in range(6)]
    signals.append(told(0, "other", 2, event_type=EventType.SANCTION, **article))
    play(book, signals, until=0)
    assert book.dyads()[0].score == pytest.approx(10)


LONG = f"{TEXT} " + " ".join(f"Sentence {n} of the long report tells of matter {n * 7} in the town." for n in range(30))


def test_an_edited_article_stays_in_its_story():
    """A stub that becomes a full report shares few words with it and has new signal ids: it must not count twice."""
    book = Book(rules())
    stub, full = wire(" ".join(TEXT.split()[:25])), wire(LONG)
    assert jaccard(stub, full) < 0.4
    article = {"article_id": "1" * 32, "source": "a.example"}
    play(book, [told(0, "stub", 20, story=stub, **article), told(0, "full", 20, story=full, **article)], until=0)
    assert book.dyads()[0].score == pytest.approx(20)
    play(book, [told(0, "copy", 20, story=full, source="b.example")], until=0)
    assert book.dyads()[0].score == pytest.approx(25), "the full text that others copy is the same story"


def test_an_edit_leaves_the_story_to_those_who_copied_it():
    """One of several outlets rewrites its report: it stays in the story, and further copies of the old text join it."""
    book = Book(rules())
    signals = [told(0, f"o{n}", 8, story=wire(text), article_id=f"{n:032x}") for n, text in enumerate(copies(3))]
    signals.append(told(1, "edit", 8, "o0.example", story=wire(LONG[len(TEXT) :]), article_id=f"{0:032x}"))
    signals.append(told(1, "late", 8, story=wire(copies(9)[8])))
    play(book, signals, until=1)
    assert len(only(book).stories) == 1


def test_articles_of_a_story_are_the_latest_ones():
    """However many articles copy a story, and however often each is edited, a few ids are kept."""
    book = Book(rules())
    signals = [
        told(n / 10, f"c{n}-{again}", story=wire(text), article_id=f"{n:032x}")
        for n, text in enumerate(copies(20))
        for again in range(3)
    ]
    play(book, signals, until=5)
    kept = only(book).stories[0].articles
    assert kept == "".join(article_token(f"{n:032x}") for n in range(20 - MAX_ARTICLES, 20))


def test_a_state_of_version_1_is_read():
    """An installation that is brought up to date goes on with what it had when a dyad had one rule, and no articles."""
    book = Book(rules())
    play(book, [told(0, "a", 8, story=wire(TEXT))], until=0)
    held = book.dyads()[0]
    older = json.loads(bytes(held.state))["tracks"]["test"] | {"version": 1}
    older["stories"] = [story[:-1] for story in older["stories"]]  # the articles stand last
    book = Book(rules())
    book.restore([replace(held, state=Raw(json.dumps(older).encode()))])
    play(book, [told(0, "b", 8, story=wire(TEXT))], until=0)
    assert book.dyads()[0].score == pytest.approx(10)


BROKEN = ["", "not base64!", "AAAA", "A" * 5000, "!" * 684, "A" * 683, "\u00e9" * 684, "A" * 680 + "====", "=" * 684]


@pytest.mark.parametrize("story", BROKEN)
def test_a_signature_that_is_none_falls_back_on_the_article(story: str):
    """Short texts and damaged signatures neither crash nor make strangers one story."""
    book = Book(rules())
    play(book, [told(0, "a", 4, story=story), told(0, "b", 4, story=story)], until=0)
    assert book.dyads()[0].score == pytest.approx(8)


def flood(count: int) -> list:
    """As many stories, sources and sentences as one dyad may ever see, each as large as it may be."""
    chance = random.Random(7)
    kinds = list(EventType)
    signals = []
    for index in range(count):
        signal = told(
            index / 50,
            f"f{index}",
            chance.uniform(1, 9),
            event_type=kinds[index % len(kinds)],
            story=base64.b64encode(chance.randbytes(512)).decode(),
            url="https://wire.example/" + "x" * 400,
        )
        signals.append(signal)
    return signals


def test_state_is_bounded():
    """Ten thousand stories in a week leave at most 50 KB to write down, and the score whole."""
    book = Book(rules())
    signals = flood(10_000)
    play(book, signals, until=200)
    state = only(book)
    assert len(state.stories) == MAX_STORIES
    assert len(state.exhibits) == MAX_EXHIBITS
    assert len(state.outlets) == MAX_OUTLETS
    assert state.ids.count <= MAX_IDS
    assert len(encode(book.dyads()[0])) <= 50_000
    expected = sum(s.severity.score * 0.5 ** ((at(200) - s.observed_at).total_seconds() / 3600 / 48) for s in signals)
    assert book.dyads()[0].score == pytest.approx(expected, rel=1e-4)


def test_long_sentences_are_cut_around_the_trigger():
    """A page-long sentence is shown in part, and the trigger stays in it, where its span says."""
    filler = "word " * 400
    base = told(0, "a", 20)
    evidence = type(base.evidence)(
        part="text",
        sentence=f"{filler}moved {filler}",
        sentence_span=(10, 10 + 2 * len(filler) + 6),
        sentence_index=0,
        trigger="moved",
        trigger_span=(10 + len(filler), 15 + len(filler)),
    )
    shown = play(Book(rules()), [told(0, "a", 20, evidence=evidence)], until=0)[0].evidence[0]
    assert len(shown.sentence) <= 400
    assert shown.sentence[slice(*shown.trigger_span)] == "moved"


def test_evidence_is_heaviest_first_and_adds_up():
    """What each sentence is said to add is what it adds."""
    alert = play(Book(rules()), [told(0, "a", 4), told(0, "b", 3), told(0, "c", 6)], until=0)[0]
    assert [each.weight for each in alert.evidence] == [6, 4, 3]
    assert alert.score == pytest.approx(13)
    assert alert.factors["escalation"] == pytest.approx(13)


@given(st.integers(1, 1000))
def test_more_sources_never_weigh_less(sources: int):
    """The factor grows with each source, ever more slowly."""
    assert source_factor(sources) < source_factor(sources + 1)
    assert source_factor(sources + 1) - source_factor(sources) <= 0.25


def test_a_repeat_changes_nothing():
    """The same signals again, all of them, at once or later: no transition, no other score, nothing to write."""
    book = Book(rules())
    signals = [told(index, f"s{index}", 5) for index in range(8)]
    first = play(book, signals, until=10)
    before = book.dyads()
    assert [book.apply(DYAD, signal) for signal in signals] == ["repeated"] * 8
    assert book.drain() == ([], [], [])
    assert book.dyads() == before
    assert brief(first)

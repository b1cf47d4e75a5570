"""What is known of a feed after a poll, and when the next one is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.feeds import Feed
from connectors.entry import Entry, Parsed
from connectors.fetch import Fetched, Validators
from connectors.memory import recalled
from connectors.moves import TIMES
from connectors.outcome import Outcome
from connectors.progress import Ended, Read, after, fits, pace, paced, told
from connectors.recognition import identify
from connectors.schedule import DAY_S, Next, Why
from connectors.sift import Reading, sift
from connectors.store import FeedState

NOW = 1_793_620_800.0
FEED = Feed("wire", "https://wire.example/rss", adapts=True)
NEW = "https://new.example/rss"


def ended(outcome: Outcome = Outcome.OK, read: Read | None = None, asked: str = FEED.url, **fetched: object) -> Ended:
    """A poll's ending."""
    given = {"validators": Validators('"1"', "today"), **fetched} if outcome is Outcome.OK else fetched
    read = Read() if read is None and outcome is Outcome.OK else read
    return Ended(outcome, Fetched(outcome, **given), asked, read=read)  # type: ignore[arg-type]  # names of fields


def known(*endings: Ended, gap_s: float = 3600.0) -> FeedState:
    """The state after these polls, the last of them now."""
    state = None
    for number, ending in enumerate(endings):
        state, _ = after(FEED, state, ending, NOW - gap_s * (len(endings) - 1 - number), 0.5)
    assert state
    return state


def test_success_ends_a_row_of_failures():
    """The count goes up with each failure, and back to none."""
    state = known(*[ended(Outcome.TIMEOUT)] * 3)
    assert (state.failures, state.read_at) == (3, 0.0)
    state, _ = after(FEED, state, ended(), NOW, 0.5)
    assert (state.failures, state.read_at, state.polled_at) == (0, NOW, NOW)


@pytest.mark.parametrize("outcome", [Outcome.NOT_MODIFIED, Outcome.PARSE_FAILED, Outcome.TRUNCATED])
def test_validators_change_only_with_a_body_that_was_read(outcome: Outcome):
    """A document that could not be read is asked for again, whole."""
    fetched = Fetched(Outcome.OK, validators=Validators('"2"', "tomorrow"))
    state, _ = after(FEED, known(ended()), Ended(outcome, fetched, FEED.url), NOW, 0.5)
    assert (state.etag, state.last_modified) == ('"1"', "today")


def test_a_body_that_was_pushed_leaves_validators_and_the_move():
    """It says nothing of what the server would answer, nor where."""
    before = replace(known(ended()), moved_to=NEW, moved_times=5, moved_since=1.0)
    state, _ = after(FEED, before, ended(asked="", validators=Validators()), NOW, 0.5)
    assert (state.etag, state.moved_to, state.moved_times) == ('"1"', NEW, 5)


def test_a_304_carries_no_ttl_and_need_not_carry_freshness():
    """Both are kept from the answer that it confirms, until a body says otherwise."""
    state = known(ended(read=Read(ttl_s=7200), fresh_s=8000), ended(Outcome.NOT_MODIFIED))
    state, chosen = after(FEED, state, ended(Outcome.NOT_MODIFIED), NOW, 0.0)
    assert (chosen.wait_s, chosen.why) == (8000, Why.MAX_AGE)
    state, chosen = after(FEED, state, ended(Outcome.NOT_MODIFIED, fresh_s=60), NOW, 0.0)
    assert (chosen.wait_s, chosen.why) == (7200, Why.TTL)
    _, chosen = after(FEED, state, ended(), NOW, 0.0)
    assert chosen.why is Why.RHYTHM


def test_a_failure_is_not_a_way_around_what_the_feed_asked():
    """A feed that wants an hour between polls gets it while its server is down, too."""
    state, chosen = after(FEED, known(ended(read=Read(ttl_s=7200))), ended(Outcome.TIMEOUT), NOW, 0.0)
    assert (chosen.wait_s, chosen.why) == (7200, Why.TTL)
    assert state.failures == 1


def test_an_error_page_that_may_be_kept_for_a_day_silences_no_feed():
    """Its cache headers are its own; the feed is tried again as after any such failure."""
    for outcome in (Outcome.SERVER_ERROR, Outcome.NOT_FOUND, Outcome.NOT_A_FEED):
        state, chosen = after(FEED, known(ended()), ended(outcome, fresh_s=DAY_S), NOW, 0.5)
        assert chosen.why is Why.BACKOFF
        assert chosen.wait_s
        assert chosen.wait_s <= 4 * state.interval_s


def test_a_fixed_interval_and_a_drill_do_not_adapt():
    """What the operator has set counts, whatever the feed publishes; what it asks for counts before that."""
    dates = tuple(NOW - n * 60 for n in range(100))
    for feed in (replace(FEED, adapts=False), replace(FEED, drill=True)):
        state, _ = after(feed, None, ended(read=Read(shown=dates)), NOW, 0.5)
        _, chosen = after(feed, state, ended(Outcome.NOT_MODIFIED), NOW, 0.5)
        assert (chosen.wait_s, chosen.why) == (feed.interval_s, Why.INTERVAL)
        _, chosen = after(feed, state, ended(read=Read(ttl_s=3600)), NOW, 0.0)
        assert chosen.why is Why.TTL


def test_busy_and_quiet_feeds_part_at_their_first_read():
    """By the dates of what they show; and the interval that was found is kept for whoever lists feeds."""
    found = {}
    for gap_s in (300.0, DAY_S):
        dates = tuple(NOW - n * gap_s for n in range(30))
        state, chosen = after(FEED, None, ended(read=Read(shown=dates)), NOW, 0.5)
        assert chosen.wait_s == state.interval_s
        found[gap_s] = state.interval_s
    assert found[300.0] < 900 < found[DAY_S]


def test_after_days_away_the_rhythm_is_taken_from_the_document():
    """What came and went meanwhile was not seen: an hour's worth of entries is no week's."""
    before = known(ended(read=Read(shown=tuple(NOW - n * DAY_S for n in range(10)))))
    dates = tuple(NOW + 7 * DAY_S - n * 300 for n in range(30))
    state, _ = after(FEED, before, ended(read=Read(shown=dates, new=dates)), NOW + 7 * DAY_S, 0.5)
    rhythm = recalled(state.memory).rhythm
    assert rhythm
    assert rhythm.since == dates[-1]


def test_a_new_address_that_is_gone_sends_the_poll_back_to_the_list_s():
    """Soon, not after the course of a 410, which would stop the feed; and without validators of the other server."""
    before = replace(known(ended()), moved_to=NEW, moved_times=TIMES, moved_since=1.0)
    state, chosen = after(FEED, before, ended(Outcome.GONE, asked=NEW), NOW, 0.5)
    assert chosen.why is Why.MOVED_BACK
    assert chosen.wait_s == pytest.approx(state.interval_s)
    assert (state.moved_to, state.etag, state.failures) == ("", "", 1)


def test_what_a_document_tells():
    """Dates of all entries that have one; of new ones only, what they count as published at."""
    at = datetime(2026, 11, 2, 10, tzinfo=UTC)
    dated = Entry(guid="1", url="https://wire.example/1", title="One of them", text="", published=at)
    undated = Entry(guid="2", url="https://wire.example/2", title="Another one", text="")
    parsed = Parsed(outcome=Outcome.OK, entries=(dated, undated), ttl_s=60.0)
    reading = Reading(FEED, datetime.fromtimestamp(NOW, UTC), 2)
    first = sift(reading, identify(FEED, parsed.entries), {})
    assert told(parsed, first) == Read(60.0, (at.timestamp(),), (at.timestamp(), NOW))
    again = sift(reading, identify(FEED, parsed.entries), {row.article_id: row for row in first.seen})
    assert told(parsed, again) == Read(60.0, (at.timestamp(),), ())


def test_other_intervals_count_from_the_last_poll_on():
    """Shorter or longer, fixed or bounded otherwise: as if the last poll had ended under them."""
    state = known(ended(read=Read(shown=tuple(NOW - n * DAY_S for n in range(30)))))
    assert state.interval_s > 3600
    assert fits(FEED, state)
    for feed, wait_s in (
        (replace(FEED, cap_s=600.0), 600.0),
        (replace(FEED, adapts=False, interval_s=60.0), 60.0),
        (replace(FEED, adapts=False, interval_s=DAY_S), DAY_S),
    ):
        assert not fits(feed, state)
        assert pace(feed) != pace(FEED)
        again, _ = paced(feed, state, 0.5)
        assert (again.next_due, again.interval_s) == (pytest.approx(NOW + wait_s), wait_s)
        assert replace(again, next_due=state.next_due, interval_s=state.interval_s) == state
    assert pace(replace(FEED, title="Wire")) == pace(FEED)


@pytest.mark.parametrize(
    ("ending", "least_s"),
    [
        (ended(read=Read(ttl_s=7200)), 7200),
        (ended(fresh_s=5000), 5000),
        (ended(retry_after_s=9000), 9000),
        (ended(Outcome.RATE_LIMITED, retry_after_s=9000), 9000),
        (ended(Outcome.NOT_FOUND), 2 * 60 * 0.9),
    ],
)
def test_no_shorter_interval_is_a_way_around_what_was_asked(ending: Ended, least_s: float):
    """The publisher's rules and the back-off stand when the operator changes the list; so does what has stopped."""
    state = known(ended(), ending)
    for dice in (0.0, 0.9):
        again, _ = paced(replace(FEED, adapts=False, interval_s=60.0), state, dice)
        assert again.next_due
        assert again.next_due - NOW >= least_s
    stopped = replace(state, next_due=None)
    assert paced(replace(FEED, interval_s=60.0), stopped, 0.5) == (stopped, Next(None, Why.GONE))


seconds = st.one_of(st.just(0.0), st.floats(0, 400 * DAY_S))
dates = st.lists(st.floats(NOW - 400 * DAY_S, NOW + 400 * DAY_S), max_size=20).map(tuple)
reads = st.builds(Read, seconds, dates, dates)
polls = st.tuples(
    st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.GONE]), reads, seconds, seconds,
    st.floats(0, 1, exclude_max=True),
)  # fmt: skip


@given(st.lists(polls, min_size=1, max_size=12), st.booleans())
def test_no_course_of_polls_breaks_a_rule(course: list[tuple[Outcome, Read, float, float, float]], adapts: bool):
    """Whatever servers and documents say, in whatever order: no next poll is sooner than any rule that stands."""
    feed, state, at, ttl_s, fresh_s = replace(FEED, adapts=adapts), None, NOW, 0.0, 0.0
    for outcome, read, said_s, retry_s, dice in course:
        fetched = Fetched(outcome, fresh_s=said_s, retry_after_s=retry_s)
        whole = read if outcome is Outcome.OK else None
        state, chosen = after(feed, state, Ended(outcome, fetched, feed.url, read=whole), at, dice)
        if whole:
            ttl_s, fresh_s = whole.ttl_s, said_s
        elif outcome is Outcome.NOT_MODIFIED:
            fresh_s = said_s or fresh_s
        assert chosen.wait_s is not None
        longest = max(min(ttl_s, DAY_S), min(fresh_s, DAY_S), min(retry_s, 7 * DAY_S))
        assert chosen.wait_s >= longest - 0.5  # the memory holds whole seconds
        assert state.next_due == at + chosen.wait_s
        assert len(state.memory) < 300
        at = state.next_due

"""How often a feed publishes, what is remembered of that, and which interval fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.memory import MAX_MEMORY, Memory, recalled, written
from connectors.rhythm import DAY_S, HOUR_S, PACE_S, Pace, Rhythm, begun, blank, daily, interval_s, learned

NOON = 20_000 * DAY_S + 12 * HOUR_S
PACE = Pace(900, 300, 7200)
OPEN = Pace(900, 1, DAY_S)


def every(seconds: float, since: float, until: float) -> list[float]:
    """Dates at equal distances."""
    return [since + n * seconds for n in range(int((until - since) / seconds))]


@pytest.mark.parametrize("gap_s", [600, 3600, 6 * 3600])
def test_dates_of_the_first_document_tell_the_rate(gap_s: float):
    """A feed is polled as it publishes from the first read on, not after days of watching."""
    found = begun(every(gap_s, NOON - 5 * DAY_S, NOON), NOON)
    assert daily(found, PACE) == pytest.approx(DAY_S / gap_s, rel=0.3)
    assert interval_s(found, OPEN, NOON) == pytest.approx(PACE_S * (gap_s / HOUR_S) ** 0.5, rel=0.3)


def test_interval_keeps_to_its_bounds():
    """Neither a flood nor a feed that is asleep leaves what the operator allows."""
    assert interval_s(begun(every(5, NOON - DAY_S, NOON), NOON), PACE, NOON) == 300
    assert interval_s(learned(blank(NOON - 14 * DAY_S), (), NOON), PACE, NOON) == 7200


def test_a_feed_of_which_nothing_is_known_begins_with_its_interval():
    """The default interval is what it says."""
    assert interval_s(blank(NOON), PACE, NOON) == pytest.approx(900)


@pytest.mark.parametrize(
    "dates",
    [[NOON] * 30, [NOON - n for n in range(30)], [NOON + DAY_S] * 30, [], [NOON - 100]],
    ids=["all now", "all of the last half minute", "tomorrow", "none", "one"],
)
def test_dates_that_tell_nothing_are_not_believed(dates: list[float]):
    """A template that stamps every entry with the time of the request makes no busy feed."""
    assert interval_s(begun(dates, NOON), PACE, NOON) == pytest.approx(900)


def test_a_quiet_feed_with_old_entries_is_known_as_quiet():
    """Thirty entries of last year are no rate of today."""
    assert daily(begun(every(DAY_S, NOON - 400 * DAY_S, NOON - 300 * DAY_S), NOON), PACE) < 2


def test_nights_are_polled_less_and_the_morning_is_not_slept_through():
    """Twenty entries a day, all between 8 and 18 h: by night the waits are long, but one ends soon after 8 h."""
    midnight = NOON - 12 * HOUR_S
    days = [midnight - day * DAY_S + 8 * HOUR_S + n * 1800 for day in range(1, 8) for n in range(20)]
    found = begun(days, midnight)
    by_night, by_day = interval_s(found, OPEN, midnight + HOUR_S), interval_s(found, OPEN, midnight + 10 * HOUR_S)
    assert by_night > 1.8 * by_day
    before = midnight + 7.5 * HOUR_S
    assert before + interval_s(found, OPEN, before) < midnight + 8.75 * HOUR_S


def test_what_a_feed_does_now_outweighs_what_it_did():
    """A feed that falls silent is polled less within a week, one that wakes is polled more within hours."""
    busy = begun(every(600, NOON - 2 * DAY_S, NOON), NOON)
    silent = learned(busy, (), NOON + 7 * DAY_S)
    assert interval_s(silent, OPEN, NOON) > 1.5 * interval_s(busy, OPEN, NOON)
    quiet = begun(every(DAY_S, NOON - 14 * DAY_S, NOON), NOON)
    awake = learned(quiet, every(300, NOON, NOON + 2 * HOUR_S), NOON + 2 * HOUR_S)
    assert interval_s(awake, OPEN, NOON + 2 * HOUR_S) < 0.5 * interval_s(quiet, OPEN, NOON)


def test_one_entry_is_no_burst():
    """A quiet feed that publishes as usual is not polled faster for it; one that brings five at once is."""
    quiet = begun(every(DAY_S, NOON - 14 * DAY_S, NOON - DAY_S), NOON)
    usual, burst = learned(quiet, [NOON + 10], NOON + 600), learned(quiet, [NOON + 10] * 5, NOON + 600)
    assert interval_s(usual, OPEN, NOON + 600) == pytest.approx(interval_s(quiet, OPEN, NOON + 600), rel=0.15)
    assert interval_s(burst, OPEN, NOON + 600) < 0.6 * interval_s(usual, OPEN, NOON + 600)


def test_thousands_of_polls_that_find_nothing_forget_as_one_does():
    """Writing the memory down every five minutes for a week rounds nothing away: it fades all the same."""
    start = begun(every(3600, NOON - 5 * DAY_S, NOON), NOON)
    text = written(Memory(rhythm=start))
    for poll in range(1, 2017):
        kept = recalled(text).rhythm
        assert kept
        text = written(Memory(rhythm=learned(kept, (), NOON + 300 * poll)))
    often = recalled(text).rhythm
    assert often
    assert daily(often, PACE) == pytest.approx(daily(learned(start, (), NOON + 7 * DAY_S), PACE), rel=0.01)


def test_a_clock_set_back_undoes_nothing():
    """Entries that come to light while the clock is behind are counted, and time goes on from where it was."""
    known = begun(every(3600, NOON - 5 * DAY_S, NOON), NOON)
    later = learned(known, [NOON - 7200], NOON - 7200)
    assert later.as_of == NOON
    assert sum(later.counts) == pytest.approx(sum(known.counts) + 1)


times = st.floats(0, 4e9)
counts = st.lists(st.floats(0, 1e6), min_size=24, max_size=24).map(tuple)


@given(times, st.floats(0, 1e8), counts, st.floats(0, 1e6), st.tuples(*[st.floats(0, 1e9)] * 2, st.floats(0, 604800)))
def test_memory_is_short_and_comes_back(
    since: float, span: float, found: tuple[float, ...], burst: float, asked: tuple[float, float, float]
):
    """Whatever was learned fits its column, and is the same after as many restarts as one likes."""
    ttl_s, max_age_s, retry_s = asked
    text = written(Memory(ttl_s, max_age_s, Rhythm(since, since + span, since + span, found, burst), retry_s))
    assert len(text) < MAX_MEMORY
    assert written(recalled(text)) == text
    kept = recalled(text).rhythm
    assert kept
    assert recalled(text).retry_after_s >= retry_s
    assert PACE.floor_s <= interval_s(kept, PACE, since) <= PACE.cap_s


words = st.sampled_from(["1", "0", "nan", "inf", "-5", "1e400", "x", "7", "r", "r9", "rnan", "rinf"])


@given(st.one_of(st.text(max_size=400), st.lists(words).map(" ".join)))
def test_a_memory_that_is_none_is_an_empty_one(text: str):
    """A text of a later version, or a damaged one, costs what was learned, never a poll."""
    remembered = recalled(text)
    assert remembered.ttl_s >= 0
    assert recalled(written(remembered)) == remembered


@pytest.mark.parametrize(
    "text", ["", "2 0 0", "1 nan 0", "1 0 0 5 4 4" + " 0" * 24, "1 0 0 1 1 1 0", "1 0 0 1 1 9e9" + " 0" * 24]
)
def test_numbers_that_can_not_be_are_not_believed(text: str):
    """Among them a time that runs backwards and weights that would overflow."""
    assert recalled(text).rhythm is None

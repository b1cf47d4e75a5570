"""Merging two states of one dyad: as if one had taken in all."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from timelines import DYAD, at, rules, told, wire

from pipeline.records import encode
from pipeline.scoring.merge import merged
from pipeline.scoring.score import apply, fresh
from pipeline.scoring.state import MAX_STORIES

RULES = rules(update_interval="30d")
RULE = RULES.rules[0]


def state_of(signals, start=0.0):
    """The state after these signals."""
    state = fresh(DYAD, at(start).timestamp(), RULE, drill=False)
    for signal in sorted(signals, key=lambda each: each.observed_at):
        state = apply(state, signal, RULE)[0]
    return state


def some(seed: int, count: int, name: str):
    """Signals of an hour's distance or so, some calming."""
    chance = random.Random(seed)
    return [
        told(chance.uniform(0, 300), f"{name}{n}", chance.choice([9, 6.5, 3.5, -2.5]), source=f"o{chance.randrange(9)}")
        for n in range(count)
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 30), st.integers(0, 30), st.floats(0, 400))
def test_scores_add_up_whatever_the_order(seed: int, one: int, other: int, start: float):
    """Disjoint parts merged, either way round, score as the whole does, and know every id and source."""
    first, second = some(seed, one, "a"), some(seed + 1, other, "b")
    parts = [state_of(first), state_of(second, start - 400)]
    whole = state_of([*first, *second])
    for left, right in (parts, parts[::-1]):
        both = merged(left, right, RULE)
        later = max(whole.at, both.at)
        assert both.score(later) == pytest.approx(whole.score(later), rel=1e-4, abs=1e-4)
        assert both.outlets.keys() == whole.outlets.keys()
        assert both.applied == whole.applied
        assert len(both.exhibits) == len(whole.exhibits)


def test_a_story_that_both_know_is_one():
    """Copies of one report that went to two places count once, by the sources of both."""
    text = wire(" ".join(f"word{n}" for n in range(60)))
    left = state_of([told(0, "a", 8, "one.example", story=text)])
    right = state_of([told(1, "b", 8, "two.example", story=text)])
    both = merged(left, right, RULE)
    assert len(both.stories) == 1
    assert both.score(at(0).timestamp()) == pytest.approx(8 * 2 ** (1 / 48) * 1.25, rel=1e-3)


def test_what_either_counted_stays_counted():
    """A repeat after the merge changes nothing."""
    left, right = some(1, 5, "a"), some(2, 5, "b")
    both = merged(state_of(left), state_of(right), RULE)
    assert all(apply(both, signal, RULE)[2] == "repeated" for signal in (*left, *right))


def test_the_older_alert_goes_on():
    """Of two open alerts the one that began first."""
    left, right = state_of([told(5, "a", 12)]), state_of([told(2, "b", 12)])
    assert merged(left, right, RULE).episode == right.episode
    assert merged(right, left, RULE).episode == right.episode


def test_a_merge_is_bounded_and_of_one_dyad():
    """However much either holds; and two dyads are not merged."""
    both = merged(state_of(some(1, 200, "a")), state_of(some(2, 200, "b")), RULE)
    assert len(both.stories) <= MAX_STORIES
    assert len(encode_state(both)) < 60_000
    with pytest.raises(ValueError, match="one dyad"):
        merged(both, fresh("XXX-YYY", 0.0, RULE, drill=False), RULE)


def encode_state(state) -> bytes:
    """As it is stored."""
    from pipeline.scoring.stored import describe

    return encode(describe({RULE.name: state}, RULES.rules))

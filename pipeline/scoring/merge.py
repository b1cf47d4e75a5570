"""Merging two states of one dyad that took in different parts of its signals, as if one had taken in all.

For a dyad whose signals came to two places, such as two partitions while a topic was grown. Scores add up, stories that
both know are told by the sources of both, and what either has counted stays counted. What can't be had from two
summaries is settled so: the baseline is the sum of both, as the score is; of two open alerts the one that began first
goes on.
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from config.alerts import Rule
from pipeline.scoring.day import joined
from pipeline.scoring.episode import watch_levels
from pipeline.scoring.memory import sample
from pipeline.scoring.score import adopt, moved
from pipeline.scoring.state import (
    HISTORY,
    MAX_ARTICLES,
    MAX_EXHIBITS,
    MAX_OUTLETS,
    MAX_STORIES,
    MAX_STORY_SOURCES,
    MAX_STRANDS,
    DyadState,
    Exhibit,
    Ids,
    Story,
    Strand,
)
from pipeline.scoring.stories import ARTICLE_CHARS, find, light, source_factor


def merged(one: DyadState, other: DyadState, rule: Rule) -> DyadState:
    """One state of both, at the later one's time.

    Raises:
        ValueError: They are of two dyads, or one is of the drill.
    """
    if one.dyad != other.dyad or one.drill is not other.drill:
        raise ValueError(f"states of one dyad, but of {one.dyad} and {other.dyad}")
    at = max(one.at, other.at)
    one, other = (sample(adopt(state, rule), at, rule) for state in (one, other))
    one, other = (moved(state, max(one.origin, other.origin)) for state in (one, other))
    stories, numbers = _stories(one, other)
    dropped = stories[: max(0, len(stories) - MAX_STORIES)]
    kept = stories[len(dropped) :]
    rest = one.rest + other.rest + math.fsum(story.weight for story in dropped)
    episodes = [state.episode for state in (one, other) if state.episode is not None]
    state = replace(
        one,
        rest=rest,
        stories=kept,
        total=math.fsum([rest, *(story.weight for story in kept)]),
        exhibits=_exhibits(one.exhibits, other.exhibits, numbers),
        outlets=_latest(one.outlets, other.outlets),
        ids=_ids(one.ids, other.ids),
        baseline=one.baseline + other.baseline,
        spread=one.spread + other.spread,
        counted={unit: max(s.counted[unit] for s in (one, other) if unit in s.counted) for unit in _units(one, other)},
        flow=one.flow or other.flow,
        history=_sums(one.history, other.history),
        episode=min(episodes, key=lambda episode: episode.started, default=None),
        applied=one.applied + other.applied,
        inactive=one.inactive + other.inactive,
        numbered=one.numbered + other.numbered,
        held=(None, None, None),
        day=joined(one.day, other.day),
    )
    return watch_levels(state, rule)


def _stories(one: DyadState, other: DyadState) -> tuple[tuple[Story, ...], dict[int, int]]:
    """All stories, longest without news first, and the new number of each of the other's."""
    found, numbers = list(one.stories), {}
    for story in other.stories:
        index = find(tuple(found), story.sketch)
        if index is None:
            numbers[story.number] = one.numbered + story.number
            found.append(replace(story, number=numbers[story.number]))
        else:
            numbers[story.number] = found[index].number
            found[index] = _joined(found[index], story)
    return tuple(sorted(found, key=lambda story: story.last)), numbers


def _joined(one: Story, other: Story) -> Story:
    """One story that two states know: each kind at its heaviest, by the sources of both."""
    strands: dict[str, Strand] = {strand.kind: strand for strand in one.strands}
    for strand in other.strands:
        mine = strands.get(strand.kind, Strand(strand.kind, 0.0, 0))
        heavier = max(mine.weight, strand.weight, key=abs)
        strands[strand.kind] = Strand(strand.kind, heavier, mine.count + strand.count)
    heaviest = tuple(sorted(strands.values(), key=lambda strand: -abs(strand.weight))[:MAX_STRANDS])
    sources = tuple(dict.fromkeys((*one.sources, *other.sources)))[:MAX_STORY_SOURCES]
    weight = light(math.fsum(strand.weight for strand in heaviest) * source_factor(len(sources)))
    articles = (one.articles + other.articles)[-MAX_ARTICLES * ARTICLE_CHARS :]
    return Story(one.number, one.sketch, max(one.last, other.last), sources, heaviest, weight, articles)


def _exhibits(one: tuple[Exhibit, ...], other: tuple[Exhibit, ...], numbers: dict[int, int]) -> tuple[Exhibit, ...]:
    best: dict[tuple[int, str], Exhibit] = {(each.story, each.kind): each for each in one}
    for each in other:
        number = numbers.get(each.story, -1 - each.story)  # of a story that was let go: of no other's
        moved_to = Exhibit(number, each.kind, each.weight, each.evidence)
        mine = best.get((number, each.kind))
        if mine is None or abs(mine.weight) < abs(each.weight):
            best[number, each.kind] = moved_to
    return tuple(sorted(best.values(), key=lambda each: -abs(each.weight))[:MAX_EXHIBITS])


def _latest(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    heard = {source: max(s[source] for s in (one, other) if source in s) for source in {**one, **other}}
    latest = sorted(heard, key=lambda source: (-heard[source], source))[:MAX_OUTLETS]
    return {source: heard[source] for source in latest}


def _ids(one: Ids, other: Ids) -> Ids:
    """All ids that either knows: for once up to twice the bound, until the next generation begins."""
    return Ids(min(one.started, other.started), one.young + other.young, one.old + other.old, one.count + other.count)


def _units(one: DyadState, other: DyadState) -> list[str]:
    return sorted({*one.counted, *other.counted})


def _sums(one: tuple[float, ...], other: tuple[float, ...]) -> tuple[float, ...]:
    length = max(len(one), len(other))
    padded = ((0.0,) * (length - len(each)) + each for each in (one, other))
    return tuple(float(f"{sum(pair):.4g}") for pair in zip(*padded, strict=True))[-HISTORY:]

"""Records of a state for those who read it: an alert with its whole explanation, a dyad as it stands."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from string import Template

from msgspec.structs import replace

from config.alerts import Rule
from pipeline.records import Alert, AlertEvidence, Level, Transition, Trend
from pipeline.scoring.memory import needed_sources, sources, usual
from pipeline.scoring.state import DyadState, Episode
from pipeline.scoring.stories import source_factor

LEVEL = tuple(Level)
DECIMALS = 4
MAX_ANNOTATION = 2000
TREND_SAMPLES = 24
TREND_SHARE = 0.1
TREND_LEAST = 0.5
_HOUR = 3600.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH).total_seconds()
LAST = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH).total_seconds()
"""The last second that a date can tell."""


def moment(at: float) -> datetime:
    """Seconds since 1970 as a time in UTC; the calendar's first or last second where it is outside years 1 to 9999."""
    return _EPOCH + timedelta(seconds=min(max(at, _FIRST), LAST))


def since_epoch(at: datetime) -> float:
    """A time as seconds since 1970. It may lie outside of what ``moment`` can tell, by rounding or by the zone."""
    return at.timestamp()


def evidence(state: DyadState, most: int) -> tuple[AlertEvidence, ...]:
    """The heaviest sentences as of ``state.at``, each with what it adds to the score and how many sources told it."""
    wanted = {each.story for each in state.exhibits}
    told = {story.number: max(1, len(story.sources)) for story in state.stories if story.number in wanted}
    decay = state.decay(state.at)
    shown = []
    for each in state.exhibits:
        number = told.get(each.story, 1)
        weight = round(each.weight * source_factor(number) * decay, DECIMALS)
        shown.append(replace(each.evidence, weight=weight, sources=number))
    return tuple(sorted(shown, key=lambda each: (-abs(each.weight), each.signal_id))[:most])


def factors(state: DyadState, rule: Rule) -> dict[str, float]:
    """What made the score, by name; ``escalation + calming + earlier`` is the score where that is above 0."""
    decay = state.decay(state.at)
    weights = [story.weight for story in state.stories]
    score = state.score(state.at)
    values = {
        "escalation": sum(weight for weight in weights if weight > 0) * decay,
        "calming": sum(weight for weight in weights if weight < 0) * decay,
        "earlier": state.rest * decay,
        "ratio": score / state.baseline if state.baseline > 0 else 0.0,
        "usual": usual(state, rule),
        "sources_needed": float(needed_sources(state, rule)),
        "flow": 1.0 if state.flow is None else state.flow[0],
        "half_life_hours": rule.half_life / _HOUR,
        "inactive": float(state.inactive),
    }
    return {name: round(value, DECIMALS) for name, value in values.items()}


def counts(state: DyadState) -> dict[str, int]:
    """Active signals of the stories held, by ``type/modality``."""
    counter: Counter[str] = Counter()
    for story in state.stories:
        for strand in story.strands:
            counter[strand.kind] += strand.count
    return dict(sorted(counter.items()))


def explain(state: DyadState, episode: Episode, previous: int, transition: Transition, rule: Rule) -> Alert:
    """The transition of ``episode`` at ``state.at`` as a record."""
    shown = evidence(state, len(state.exhibits))
    heard = sources(state, state.at)
    return Alert(
        alert_id=episode.alert_id,
        sequence=episode.sequence,
        transition=transition,
        level=LEVEL[episode.level],
        previous_level=LEVEL[previous],
        dyad=state.dyad,
        rule=episode.rule,
        rule_version=rule.version,
        at=moment(state.at),
        started_at=moment(episode.started),
        score=round(state.score(state.at), DECIMALS),
        baseline=round(state.baseline, DECIMALS),
        factors=factors(state, rule),
        sources=heard,
        stories=len(state.stories),
        signals=counts(state),
        evidence=shown,
        summary=summary(state, LEVEL[episode.level or previous], transition, shown, heard),
        magnitudes={unit: value for unit, (value, _, _) in state.counted.items()},
        labels=episode.labels,
        annotations=filled(state, episode, previous, rule, shown),
        muted=episode.muted,
        drill=state.drill,
    )


def filled(
    state: DyadState, episode: Episode, previous: int, rule: Rule, shown: tuple[AlertEvidence, ...]
) -> dict[str, str]:
    """The rule's texts, filled in."""
    leading = next((each for each in shown if each.weight > 0), None)
    score = state.score(state.at)
    values = {
        "dyad": state.dyad,
        "sides": " and ".join(state.dyad.split("-")),
        "level": LEVEL[episode.level].value,
        "previous_level": LEVEL[previous].value,
        "rule": rule.name,
        "score": f"{score:.1f}",
        "baseline": f"{state.baseline:.1f}",
        "ratio": f"{score / state.baseline:.1f}" if state.baseline > 0 else "-",
        "sources": str(sources(state, state.at)),
        "stories": str(len(state.stories)),
        "leading": f"{leading.event_type} {leading.modality}".replace("_", " ") if leading else "nothing",
        "evidence": leading.sentence if leading else "",
    }
    return {name: Template(text).safe_substitute(values)[:MAX_ANNOTATION] for name, text in rule.annotations.items()}


def summary(
    state: DyadState, level: Level, transition: Transition, shown: tuple[AlertEvidence, ...], heard: int
) -> str:
    """One line for a person: the pair and level, the score, what leads, how many sources."""
    score = f"score {state.score(state.at):.1f} against baseline {state.baseline:.1f}"
    head = f"{'Drill: ' if state.drill else ''}{state.dyad.replace('-', '–')} {level}"  # noqa: RUF001 (a pair's dash)
    if transition is Transition.RESOLVED:
        return f"{head} resolved: {score}"
    leading = next((each for each in shown if each.weight > 0), None)
    event = f"; {leading.event_type} {leading.modality} ({leading.trigger})".replace("_", " ") if leading else ""
    return f"{head}: {score}{event}; {heard} source{'' if heard == 1 else 's'}"


def trend(state: DyadState) -> Trend:
    """Where the score goes, against half a half-life before (a day, for real rules)."""
    past = state.history[-TREND_SAMPLES] if len(state.history) >= TREND_SAMPLES else 0.0
    change = state.score(state.at) - past
    if abs(change) < max(TREND_LEAST, TREND_SHARE * past):
        return Trend.STEADY
    return Trend.RISING if change > 0 else Trend.FALLING

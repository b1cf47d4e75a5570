"""What a dyad remembers beside its stories: ids it counted, its sources, its heaviest sentences, its past scores."""

from __future__ import annotations

import binascii
import hashlib
import math
from functools import lru_cache

from msgspec.structs import replace

from config.alerts import Rule
from pipeline.records import AlertEvidence, Signal
from pipeline.scoring.state import (
    HISTORY,
    ID_HALF_LIVES,
    MAX_EXHIBITS,
    MAX_IDS,
    MAX_OUTLETS,
    MAX_SENTENCE,
    MAX_URL,
    OUTLET_HALF_LIVES,
    DyadState,
    Exhibit,
    Ids,
    Story,
)
from pipeline.scoring.stories import kind_of
from pipeline.scoring.weighing import factors

MAX_STEPS = 20_000
"""Samples that are taken one by one after a silence; the baseline's decay over the rest of it is taken at once."""
GROWTH = 3.0
"""A sample counts in the baseline as at most this many times the baseline (or this, for a baseline below 1)."""
COUNTED_H = 24
_ID_BYTES = 6


@lru_cache(maxsize=8192)
def id_token(signal_id: str) -> str:
    """A full stop and eight characters for an id of 32 hex digits: within 2,000 ids, two alike once in 10^11."""
    try:
        raw = bytes.fromhex(signal_id)
    except ValueError:
        raw = b""
    if len(raw) < _ID_BYTES:
        raw = hashlib.blake2b(signal_id.encode(), digest_size=_ID_BYTES).digest()
    return "." + binascii.b2a_base64(raw[:_ID_BYTES], newline=False).decode()


def is_known(ids: Ids, signal_id: str) -> bool:
    """Whether the signal was counted before."""
    token = id_token(signal_id)
    return token in ids.young or token in ids.old


def remember(ids: Ids, signal_id: str, at: float, half_life: float) -> Ids:
    """The ids with one more; a full or old generation makes room for a new one."""
    if ids.count >= MAX_IDS or at - ids.started > ID_HALF_LIVES * half_life:
        ids = Ids(at, "", ids.young, 0)
    return Ids(ids.started, ids.young + id_token(signal_id), ids.old, ids.count + 1)


def hear(outlets: dict[str, float], source: str, at: float) -> dict[str, float]:
    """The sources with one that has told just now."""
    heard = {**outlets, source: max(at, outlets.get(source, at))}
    if len(heard) > MAX_OUTLETS:
        del heard[min(zip(heard.values(), heard, strict=True))[1]]
    return heard


def sources(state: DyadState, at: float) -> int:
    """Independent sources that told of an active escalating event within two half-lives before ``at``."""
    since = at - OUTLET_HALF_LIVES * state.half_life
    return sum(last >= since for last in state.outlets.values())


def heard_from(state: DyadState, at: float, least: int) -> bool:
    """Whether at least so many such sources told: asked with every signal, and answered once there are enough."""
    since = at - OUTLET_HALF_LIVES * state.half_life
    for last in state.outlets.values():
        if least <= 0:
            break
        least -= last >= since
    return least <= 0


def usual(state: DyadState, rule: Rule) -> float:
    """The score from which on the dyad stands out from its own baseline."""
    least = rule.baseline_ratio * state.baseline
    if rule.baseline_sigmas is None:
        return least
    return max(least, state.baseline + rule.baseline_sigmas * math.sqrt(state.spread))


def needed_sources(state: DyadState, rule: Rule) -> int:
    """How many independent sources the rule asks for: of few outlets that bring news at all, not more than half.

    Only after a day of counting: a start knows of few outlets, because it has read few.
    """
    if state.flow is None or state.flow[2] < COUNTED_H:
        return rule.min_sources
    return min(rule.min_sources, max(1, state.flow[1] // 2))


def _shown(signal: Signal, grown: float) -> AlertEvidence:
    """The signal as evidence: its sentence cut around the trigger if it is long, spans counted inside it."""
    evidence = signal.evidence
    start = evidence.trigger_span[0] - evidence.sentence_span[0]
    end = evidence.trigger_span[1] - evidence.sentence_span[0]
    cut = max(0, min(start - MAX_SENTENCE // 2, len(evidence.sentence) - MAX_SENTENCE))
    sentence = evidence.sentence[cut : cut + MAX_SENTENCE]
    start, end = min(max(0, start - cut), len(sentence)), min(max(0, end - cut), len(sentence))
    return AlertEvidence(
        signal_id=signal.signal_id[:64],
        article_id=signal.article_id[:64],
        url=signal.url if len(signal.url) <= MAX_URL else "",
        source=signal.source[:100],
        published_at=signal.published_at,
        event_type=signal.event_type,
        modality=signal.modality,
        sentence=sentence,
        part=evidence.part,
        trigger=evidence.trigger[:100],
        trigger_span=(start, end),
        weight=0.0,
        factors=factors(signal, grown),
    )


def exhibit(
    exhibits: tuple[Exhibit, ...], story: Story, signal: Signal, weight: float, grown: float
) -> tuple[Exhibit, ...]:
    """The heaviest sentences, with this signal's among them if it is one of them."""
    if len(exhibits) == MAX_EXHIBITS and abs(exhibits[-1].weight) >= abs(weight):
        return exhibits
    kind = kind_of(signal)
    same = next((each for each in exhibits if each.story == story.number and each.kind == kind), None)
    if same is not None and abs(same.weight) >= abs(weight):
        return exhibits
    others = [each for each in exhibits if each is not same]
    shown = Exhibit(story.number, kind, weight, _shown(signal, grown))
    return tuple(sorted([*others, shown], key=lambda each: -abs(each.weight))[:MAX_EXHIBITS])


def sample(state: DyadState, to: float, rule: Rule) -> DyadState:
    """The state as of ``to``, with a sample of the score, and a step of the baseline, at each step boundary passed.

    The baseline is an exponentially weighted mean, and the spread the variance that goes with it. A crisis does not
    drag them up at once: a sample counts as at most three times what is usual. Boundaries are multiples of the step, so
    it does not matter how often this was called on the way.
    """
    step = state.step
    last = int(to // step)
    if last <= state.sampled:
        return replace(state, at=max(to, state.at))
    share = 1.0 - 0.5 ** (step / rule.baseline_half_life)
    baseline, spread, scores = state.baseline, state.spread, []
    until = min(last, state.sampled + MAX_STEPS)
    for number in range(state.sampled + 1, until + 1):
        score = state.score(number * step)
        off = min(score, GROWTH * max(baseline, 1.0)) - baseline
        spread = (1.0 - share) * (spread + share * off * off)
        baseline += share * off
        if number > last - HISTORY:
            scores.append(float(f"{score:.4g}"))
    if until < last:
        left = (1.0 - share) ** (last - until)
        spread = left * (spread + baseline * baseline * (1.0 - left))  # what as many samples of 0 come to
        baseline *= left
        scores += [0.0] * (min(HISTORY, last - until))
    history = (*state.history, *scores)[-HISTORY:]
    return replace(state, at=max(to, state.at), sampled=last, baseline=baseline, spread=spread, history=history)

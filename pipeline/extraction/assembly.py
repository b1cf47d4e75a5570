"""Assembly: from the events of one parsed sentence to its signals."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.agreement import agreed
from pipeline.extraction.attribution import reported_by
from pipeline.extraction.confidence import confidence
from pipeline.extraction.events import Event, by_rules
from pipeline.extraction.modality import Verdict
from pipeline.extraction.places import location
from pipeline.extraction.scene import Reference, Scene
from pipeline.extraction.severity import polarity, severity
from pipeline.extraction.steps import Step
from pipeline.records import Cue, EventType, Evidence, Party, Signal
from pipeline.records.dyad import dyad_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.extraction.judge import Judge
    from pipeline.records import Article
    from pipeline.records.signal import Extractor

MAX_DYADS = 6
MAX_CONDITION = 300
MAX_CUE = 200
MUTUAL = frozenset({EventType.TALKS, EventType.CEASEFIRE, EventType.WITHDRAWAL})
"""What both sides do with one another: hold talks, sign a truce, exchange prisoners, pull back."""
MAX_EVENTS = 8
"""Of one sentence, the first: real ones hold five at most, a hostile one as many as it has words."""


def events(scene: Scene, judge: Judge | None = None) -> list[Event]:
    """The events that the sentence tells of, repeats merged, in order.

    Args:
        scene: The sentence.
        judge: What decides beside the rules; None: they decide alone. A sentence of which the model has no opinion,
            for it was parsed only to see who speaks, then tells of nothing.
    """
    if judge is None:
        return _merged(by_rules(scene))[:MAX_EVENTS]
    if scene.opinion is None:
        return []
    return _merged(agreed(by_rules(scene), scene, judge, scene.opinion))[:MAX_EVENTS]


def _merged(found: list[Event]) -> list[Event]:
    """Without events that repeat another of the same type, modality and parties in the sentence."""
    kept: list[Event] = []
    for event in found:
        twin = next((place for place, other in enumerate(kept) if _same(event, other)), None)
        if twin is None:
            kept.append(event)
        elif _weight(event) > _weight(kept[twin]):
            kept[twin] = event
    return kept


def _same(one: Event, other: Event) -> bool:
    if one.candidate.kind is not other.candidate.kind or one.verdict.modality is not other.verdict.modality:
        return False
    if one.magnitudes and other.magnitudes and one.magnitudes != other.magnitudes:
        return False
    return _overlap(one.actors, other.actors) and _overlap(one.recipients, other.recipients)


def _overlap(one: Sequence[Reference], other: Sequence[Reference]) -> bool:
    return not one or not other or bool({r.code for r in one} & {r.code for r in other})


def _weight(event: Event) -> int:
    return len(event.actors) + len(event.recipients) + len(event.magnitudes) + bool(event.verdict.condition)


def signals(article: Article, scene: Scene, extractor: Extractor, judge: Judge | None = None) -> list[Signal]:
    """The sentence's signals as records."""
    return [_signal(article, event, scene, extractor) for event in events(scene, judge)]


def _signal(article: Article, event: Event, scene: Scene, extractor: Extractor) -> Signal:
    kind, verdict = event.candidate.kind, event.verdict
    evidence = _evidence(event, scene)
    words = frozenset(tree.lemma(t) for word in event.candidate.words for t in (word, *tree.modifiers(word)))
    return Signal(
        signal_id=_identity(article, scene, event, evidence),
        article_id=article.article_id,
        url=article.url,
        source=article.source,
        published_at=article.published_at,
        observed_at=article.observed_at,
        event_type=kind,
        modality=verdict.modality,
        active=verdict.active,
        polarity=polarity(kind),
        actors=tuple(_party(r) for r in event.actors),
        recipients=tuple(_party(r) for r in event.recipients),
        dyads=() if article.heartbeat else dyads(kind, event.actors, event.recipients),
        location=location(event.candidate.token, scene),
        magnitudes=event.magnitudes,
        condition=_condition(verdict, scene),
        attribution=event.attribution,
        reported_by=reported_by(event.candidate.token, scene),
        evidence=evidence,
        confidence=confidence(event, scene),
        severity=severity(kind, verdict.modality, event.candidate.pattern.plover, words, event.magnitudes),
        extractor=extractor,
        story=article.minhash,
        drill=article.drill,
        flow=article.flow,
        heartbeat=article.heartbeat,
    )


def _identity(article: Article, scene: Scene, event: Event, evidence: Evidence) -> str:
    sentence, span = scene.sentence, evidence.trigger_span
    key = f"{article.article_id}\n{sentence.part}\n{sentence.index}\n{span[0]}-{span[1]}\n{event.candidate.kind}"
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()[:32]


def _party(reference: Reference) -> Party:
    return Party(text=reference.text, code=reference.code, span=reference.span, resolved_by=reference.how)


def dyads(kind: EventType, actors: Sequence[Reference], recipients: Sequence[Reference]) -> tuple[str, ...]:
    """Keys of the pairs an event is about, at most six.

    Each actor with each recipient; talks, ceasefires and withdrawals without a recipient pair their actors; a side that
    is not named is ``*``.
    """
    doing, done_to = [r.code for r in actors], [r.code for r in recipients]
    if doing and done_to:
        keys = [dyad_key(a, r) for a in doing for r in done_to]
    elif len(doing) > 1 and kind in MUTUAL:
        keys = [dyad_key(a, b) for place, a in enumerate(doing) for b in doing[place + 1 :]]
    else:
        keys = [dyad_key(one, None) for one in doing or done_to]
    return tuple(dict.fromkeys(keys))[:MAX_DYADS]


def _condition(verdict: Verdict, scene: Scene) -> str | None:
    if not verdict.condition:
        return None
    words = verdict.condition
    text = scene.sentence.text[words[0].idx : words[-1].idx + len(words[-1].text)]
    return text.strip(' ,.;“”"')[:MAX_CONDITION] or None


def _evidence(event: Event, scene: Scene) -> Evidence:
    sentence = scene.sentence
    words = event.candidate.words
    trigger, trigger_span = scene.cut(words[0].idx, words[-1].idx + len(words[-1].text))
    return Evidence(
        part=sentence.part,
        sentence=sentence.text,
        sentence_span=(sentence.start, sentence.end),
        sentence_index=sentence.index,
        trigger=trigger,
        trigger_span=trigger_span,
        cues=tuple(_cue(step, scene) for step in event.verdict.cues),
    )


def _cue(step: Step, scene: Scene) -> Cue:
    if step.span is None:
        return Cue(text=step.text[:MAX_CUE], decides=str(step.turn), span=None)
    start, end = step.span
    text, span = scene.cut(start, min(end, start + MAX_CUE))
    return Cue(text=text, decides=str(step.turn), span=span)

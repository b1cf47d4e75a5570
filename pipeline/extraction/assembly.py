"""Assembly: from the events of one parsed sentence to its signals."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.extraction import tree
from pipeline.extraction.aims import implied_recipients
from pipeline.extraction.attribution import attribution, reported_by
from pipeline.extraction.confidence import confidence
from pipeline.extraction.magnitudes import magnitudes
from pipeline.extraction.modality import Verdict, judge
from pipeline.extraction.places import location
from pipeline.extraction.referents import resolve_all
from pipeline.extraction.roles import roles
from pipeline.extraction.scene import Reference, Scene
from pipeline.extraction.severity import polarity, severity
from pipeline.extraction.triggers import Candidate, candidates
from pipeline.records import Cue, EventType, Evidence, Magnitude, Modality, Party, Signal
from pipeline.records.dyad import dyad_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.records import Article, Attribution
    from pipeline.records.signal import Extractor

MAX_DYADS = 6
MAX_CONDITION = 300
AIMED = frozenset({EventType.FORCE, EventType.SANCTION})
PROSPECTIVE = frozenset({Modality.THREATENED, Modality.CONDITIONAL, Modality.NEGATED})


@dataclass(frozen=True)
class Event:
    """One event of a sentence, before it becomes a record."""

    candidate: Candidate
    actors: tuple[Reference, ...]
    recipients: tuple[Reference, ...]
    verdict: Verdict
    magnitudes: tuple[Magnitude, ...]
    attribution: Attribution | None


def events(scene: Scene) -> list[Event]:
    """The events that the sentence tells of, repeats merged, in order."""
    found = candidates(scene)
    counted = magnitudes([candidate.token for candidate in found], scene)
    told = [_event(candidate, counted.get(place, ()), scene) for place, candidate in enumerate(found)]
    return _merged([_as_demanded(event, told) for event in told])


def _as_demanded(event: Event, told: Sequence[Event]) -> Event:
    """What is demanded, or demanded not to be, is up to those of whom it is demanded."""
    if (
        event.actors
        or event.verdict.modality not in {Modality.DEMANDED, Modality.NEGATED}
        or event.candidate.kind is EventType.DEMAND
    ):
        return event
    demands = [other for other in told if other.candidate.kind is EventType.DEMAND and other.recipients]
    if not demands:
        return event
    actors = tuple(replace(r, how="implied", span=None) for r in demands[0].recipients)
    taken = {r.code for r in actors}
    return replace(event, actors=actors, recipients=tuple(r for r in event.recipients if r.code not in taken))


def _event(candidate: Candidate, counted: tuple[Magnitude, ...], scene: Scene) -> Event:
    actors, recipients = roles(candidate.token, candidate.kind, scene)
    verdict = judge(candidate.token, candidate.kind, actors, scene)
    said = attribution(candidate.token, scene)
    if not actors and candidate.kind in AIMED and verdict.modality is Modality.THREATENED and said is not None:
        actors = _speaking(said, scene)
        recipients = [r for r in recipients if r.code not in {a.code for a in actors}]
    if (
        not recipients
        and actors
        and candidate.kind in AIMED
        and verdict.modality in PROSPECTIVE
        and not verdict.hypothetical
    ):
        recipients = implied_recipients(candidate.token, scene, actors)
    return Event(candidate, tuple(actors), tuple(recipients), verdict, counted, said)


def _speaking(said: Attribution, scene: Scene) -> list[Reference]:
    """The speaker's side, as the one who threatens."""
    if said.code is None:
        return []
    named = [r for r in resolve_all(scene.doc, scene) if r.code == said.code]
    return [replace(named[0], how="implied")] if named else [Reference(said.speaker, said.code, None, "implied")]


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


def signals(article: Article, scene: Scene, extractor: Extractor) -> list[Signal]:
    """The sentence's signals as records."""
    return [_signal(article, event, scene, extractor) for event in events(scene)]


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
        dyads=dyads(kind, event.actors, event.recipients),
        location=location(event.candidate.token, scene),
        magnitudes=event.magnitudes,
        condition=_condition(verdict, scene),
        attribution=event.attribution,
        reported_by=reported_by(event.candidate.token, scene),
        evidence=evidence,
        confidence=confidence(event.candidate, verdict, event.actors, event.recipients, scene),
        severity=severity(kind, verdict.modality, event.candidate.pattern.plover, words, event.magnitudes),
        extractor=extractor,
        story=article.minhash,
        drill=article.drill,
    )


def _identity(article: Article, scene: Scene, event: Event, evidence: Evidence) -> str:
    sentence, span = scene.sentence, evidence.trigger_span
    key = f"{article.article_id}\n{sentence.part}\n{sentence.index}\n{span[0]}-{span[1]}\n{event.candidate.kind}"
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()[:32]


def _party(reference: Reference) -> Party:
    return Party(text=reference.text, code=reference.code, span=reference.span, resolved_by=reference.how)


def dyads(kind: EventType, actors: Sequence[Reference], recipients: Sequence[Reference]) -> tuple[str, ...]:
    """Keys of the pairs an event is about, at most six.

    Each actor with each recipient; talks and ceasefires without a recipient pair their actors; a side that is not
    named is ``*``.
    """
    doing, done_to = [r.code for r in actors], [r.code for r in recipients]
    if doing and done_to:
        keys = [dyad_key(a, r) for a in doing for r in done_to]
    elif len(doing) > 1 and kind in {EventType.TALKS, EventType.CEASEFIRE}:
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
    start, end = words[0].idx, words[-1].idx + len(words[-1].text)
    cues = tuple(
        Cue(text=step.text[:200], decides=str(step.turn), span=scene.place(*step.span) if step.span else None)
        for step in event.verdict.cues
    )
    return Evidence(
        part=sentence.part,
        sentence=sentence.text,
        sentence_span=(sentence.start, sentence.end),
        sentence_index=sentence.index,
        trigger=sentence.text[start:end],
        trigger_span=scene.place(start, end),
        cues=cues,
    )

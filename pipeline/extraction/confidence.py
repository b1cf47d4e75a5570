"""Confidence: how far a signal can be trusted.

With the sentence model it is the probability that type and modality are right, fitted on lines that the model never
saw (``fusion.py``), times how certain the names are. Without it, points are taken off by rules, and 0.8 is not four in
five.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.extraction.events import Event
    from pipeline.extraction.scene import Scene

START = 0.9
WEAK_TRIGGER = 0.1
NOBODY = 0.25
INDIRECT = 0.08
TITLE = 0.05
LONG = 0.1
LONG_SENTENCE = 60
MANY_CUES = 0.05
MANY = 2
LEAST, MOST = 0.05, 0.99
INDIRECT_WAYS = frozenset({"pronoun", "anaphora", "implied"})
DIRECT_WAYS = frozenset({"name", "capital", "demonym", "office"})


def confidence(event: Event, scene: Scene) -> float:
    """0.05 to 0.99."""
    value = _by_rules(event, scene) if event.sure is None else event.sure
    named = [r.certainty for r in (*event.actors, *event.recipients) if r.how in DIRECT_WAYS]
    value *= min(named, default=1.0) ** 0.5
    return float(round(min(max(value, LEAST), MOST), 3))


def _by_rules(event: Event, scene: Scene) -> float:
    """Less for weak triggers, unnamed actors, pronouns, headlines, long sentences and many cues."""
    parties = (*event.actors, *event.recipients)
    value = START
    value -= 0.0 if event.candidate.pattern.strong else WEAK_TRIGGER
    value -= 0.0 if parties else NOBODY
    value -= INDIRECT if any(r.how in INDIRECT_WAYS for r in parties) else 0.0
    value -= TITLE if scene.sentence.part == "title" else 0.0
    value -= LONG if len(scene.doc) > LONG_SENTENCE else 0.0
    return value - MANY_CUES * max(0, len(event.verdict.cues) - MANY)

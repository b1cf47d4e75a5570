"""Confidence: how far a signal can be trusted, by rules. Not calibrated: 0.8 is not four in five."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.extraction.modality import Verdict
    from pipeline.extraction.scene import Reference, Scene
    from pipeline.extraction.triggers import Candidate

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


def confidence(
    candidate: Candidate, verdict: Verdict, actors: Sequence[Reference], recipients: Sequence[Reference], scene: Scene
) -> float:
    """0.05 to 0.99: less for weak triggers, unnamed actors, pronouns, headlines, long sentences and many cues."""
    value = START
    value -= 0.0 if candidate.pattern.strong else WEAK_TRIGGER
    value -= 0.0 if actors or recipients else NOBODY
    value -= INDIRECT if any(r.how in INDIRECT_WAYS for r in (*actors, *recipients)) else 0.0
    value -= TITLE if scene.sentence.part == "title" else 0.0
    value -= LONG if len(scene.doc) > LONG_SENTENCE else 0.0
    value -= MANY_CUES * max(0, len(verdict.cues) - MANY)
    value *= (
        min(
            (r.certainty for r in (*actors, *recipients) if r.how in {"name", "capital", "demonym", "office"}),
            default=1.0,
        )
        ** 0.5
    )
    return float(round(min(max(value, LEAST), MOST), 3))

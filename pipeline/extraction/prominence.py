"""Prominence: whether a sentence reports an event, or only mentions it beside what it reports.

``after the raid``, ``if the rebels attack``, ``amid fears of an invasion``: what dates, explains or conditions the news
is no news. The codebook's label policy says what becomes of each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.extraction.steps import ONGOING
from pipeline.records import EventType, Modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.rivals import Rivals
    from pipeline.extraction.events import Event
    from pipeline.extraction.scene import Scene

CLOSING = frozenset(".!?…\"'”’)")  # noqa: RUF001 - typographic marks are the matter here


def is_background(event: Event, told: Sequence[Event]) -> bool:
    """Whether the sentence only mentions ``event``, one of those that are ``told``, beside its news."""
    verdict = event.verdict
    if verdict.hypothetical:
        return True
    if verdict.granted:
        return not (event.candidate.kind in ONGOING and verdict.modality is Modality.ASSERTED)
    return is_demanded(event, told)


def is_routine(event: Event, rivals: Rivals) -> bool:
    """Whether it is a meeting of parties that are not at odds: only the sentence model can tell what it is about."""
    if event.candidate.kind is not EventType.TALKS or event.verdict.modality is Modality.NEGATED:
        return False
    return not rivals.among(reference.code for reference in (*event.actors, *event.recipients))


def is_demanded(event: Event, told: Sequence[Event]) -> bool:
    """Whether it is what a demand of the same sentence asks for, or asks not to be."""
    if event.candidate.kind is EventType.DEMAND or not any(o.candidate.kind is EventType.DEMAND for o in told):
        return False
    if event.verdict.modality is not Modality.NEGATED:
        return event.verdict.modality is Modality.DEMANDED
    return bool(event.actors) and all(actor.how == "implied" for actor in event.actors)


def is_kept(event: Event, scene: Scene) -> bool:
    """Whether a background event is worth a signal: an inactive one, in a whole sentence.

    A headline's background is told again in the article's body.
    """
    return not event.verdict.active and scene.sentence.part == "text" and is_whole(scene.sentence.text)


def is_whole(text: str) -> bool:
    """Whether ``text`` is a sentence that ends as one; a headline does not."""
    return text.rstrip()[-1:] in CLOSING

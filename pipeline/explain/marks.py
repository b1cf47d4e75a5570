"""Marks: which characters of a sentence play which part in its signals, cut into pieces that do not overlap."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.extraction.sentences import Sentence
    from pipeline.records import Signal

_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Role(StrEnum):
    """What words do in a signal; where they do several things, the first of these is shown."""

    TRIGGER = "trigger"
    CUE = "cue"
    MAGNITUDE = "number"
    ACTOR = "actor"
    RECIPIENT = "recipient"
    PLACE = "place"
    OUTLET = "outlet"
    SPEAKER = "speaker"
    CONDITION = "condition"


RANK = {role: rank for rank, role in enumerate(Role)}
NAMED = frozenset({Role.TRIGGER, Role.CUE, Role.ACTOR, Role.RECIPIENT})
"""Roles whose label says more than the role does."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Words with a role.

    Attributes:
        start, end: Their place in the sentence.
        role: What they do.
        label: What to write beside them: a code, a modality; may be empty.
        signal: Of a trigger, the id of its signal.
        active: Of a trigger, whether its signal counts.
    """

    start: int
    end: int
    role: Role
    label: str = ""
    signal: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a sentence.

    Attributes:
        text: Its characters, those that can't be seen replaced by spaces.
        mark: What it is; None for plain text.
        first: Whether the mark begins here, or goes on after another that it is covered by.
    """

    text: str
    mark: Mark | None = None
    first: bool = True


def visible(text: str) -> str:
    """``text`` with as many characters, but none that steers a terminal or turns the direction of writing."""
    return _UNSEEN.sub(" ", text)


def pieces(sentence: Sentence, signals: Sequence[Signal], numbers: Mapping[str, int]) -> list[Piece]:
    """The sentence in pieces.

    Args:
        sentence: The sentence.
        signals: Those that it gave.
        numbers: Of each signal by its id, to be written beside its trigger.
    """
    marks = _joined(mark for signal in signals for mark in _marks(sentence, signal, numbers))
    edges = sorted({0, len(sentence.text), *(edge for mark in marks for edge in (mark.start, mark.end))})
    found: list[Piece] = []
    shown: set[Mark] = set()
    for start, end in pairwise(edges):
        over = [mark for mark in marks if mark.start <= start and end <= mark.end]
        top = min(over, key=lambda mark: (RANK[mark.role], mark.end - mark.start), default=None)
        text = visible(sentence.text[start:end])
        found += _trimmed(text, top, first=top not in shown)
        shown |= {top} if top and text.strip() else set()
    return found


def _trimmed(text: str, mark: Mark | None, *, first: bool) -> Iterator[Piece]:
    """The piece; space at the edges of a mark is plain."""
    bare = text.strip()
    if mark is None or not bare:
        yield Piece(text)
        return
    start = text.index(bare)
    edges = (text[:start], text[start + len(bare) :])
    yield from (Piece(edges[0]),) if edges[0] else ()
    yield Piece(bare, mark, first)
    yield from (Piece(edges[1]),) if edges[1] else ()


def _joined(marks: Iterator[Mark]) -> list[Mark]:
    """Each place and role once; several labels are written one after the other."""
    found: dict[tuple[int, int, Role], Mark] = {}
    for mark in marks:
        key = (mark.start, mark.end, mark.role)
        other = found.get(key)
        if other is None:
            found[key] = mark
        elif mark.label not in other.label.split(", "):
            found[key] = replace(other, label=f"{other.label}, {mark.label}", active=other.active or mark.active)
    return list(found.values())


def _marks(sentence: Sentence, signal: Signal, numbers: Mapping[str, int]) -> Iterator[Mark]:
    yield from _spanned(sentence, signal, numbers)
    yield from _found(sentence, signal)


def _spanned(sentence: Sentence, signal: Signal, numbers: Mapping[str, int]) -> Iterator[Mark]:
    """What a signal says the place of."""
    evidence = signal.evidence
    number = f"{numbers[signal.signal_id]} " if signal.signal_id in numbers else ""
    kind = f"{number}{signal.event_type.replace('_', ' ')}, {signal.modality}"
    spans: list[tuple[tuple[int, int], Role, str]] = [(evidence.trigger_span, Role.TRIGGER, kind)]
    spans += [(cue.span, Role.CUE, cue.decides) for cue in evidence.cues if cue.span]
    spans += [(one.span, Role.MAGNITUDE, "") for one in signal.magnitudes]
    spans += [(party.span, Role.ACTOR, party.code) for party in signal.actors if party.span]
    spans += [(party.span, Role.RECIPIENT, party.code) for party in signal.recipients if party.span]
    for (start, end), role, label in spans:
        if sentence.start <= start < end <= sentence.end:
            at = signal.signal_id if role is Role.TRIGGER else ""
            yield Mark(start - sentence.start, end - sentence.start, role, visible(label), at, signal.active)


def _found(sentence: Sentence, signal: Signal) -> Iterator[Mark]:
    """What a signal has only the words of: where they first stand in the sentence."""
    texts = (
        (signal.location.text if signal.location else "", Role.PLACE),
        (signal.reported_by or "", Role.OUTLET),
        (signal.attribution.speaker if signal.attribution else "", Role.SPEAKER),
        (signal.condition or "", Role.CONDITION),
    )
    for text, role in texts:
        match = re.search(rf"(?<!\w){re.escape(text)}(?!\w)", sentence.text) if text else None
        if match:
            yield Mark(match.start(), match.end(), role)
